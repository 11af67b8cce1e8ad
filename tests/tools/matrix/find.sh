# shellcheck shell=bash disable=SC2016
# about: find: -size, -newer, -mtime, -perm, -type, -empty, -samefile, -exec, -delete
# needs: find
step 'find "$W" | sort'
step 'find . -size +100k | sort; find . -type f -size -2 | sort; find . -size 28c | sort'
step 'find . -newer a.json | sort; touch -d "2005-01-01" c.json; find . -newer a.json | sort'
step 'find . -newermt 2002-01-01 | sort; find .. -mtime +3650 | sort'
step 'find .. -perm 600 -o -perm 640 | sort; find .. -type d | sort'
step 'touch empty.txt; find .. -empty | sort'
step 'find . -samefile a.json; find .. -maxdepth 1 -mindepth 1 -printf "%P %y %m\n" | sort'
step 'find . -name "*.json" -printf "%f %s %m %TY %n\n" | sort'
step 'find . -name "?.json" -exec cp {} {}.copy \; ; ls'
step 'find . -name "*.copy" -execdir mv {} {}2 \; ; ls'
step 'find . -name "*.copy2" -delete; ls'
step 'find .. -name "b.json" -o -name notes.txt -delete; ls'
step 'find ../Abba -delete; ls ..'
