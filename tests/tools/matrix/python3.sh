# shellcheck shell=bash disable=SC2016
# about: python3: pathlib, shutil, json, tempfile with os.replace, mmap, fcntl locks, os.scandir
# needs: python3
step 'python3 "$T/python.py" pathlib'
step 'python3 "$T/python.py" replace'
step 'python3 "$T/python.py" shutil'
step 'python3 "$T/python.py" handles'
step 'python3 "$T/python.py" plain'
step 'ls -A . ..'
