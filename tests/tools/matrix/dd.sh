# shellcheck shell=bash disable=SC2016
# about: dd: by blocks, at an offset, notrunc, append, excl, nocreat, fsync, sparse
# needs: dd
step 'dd if=long.json of=d.json bs=1000 status=none; cmp long.json d.json'
step 'dd if=long.json of=e.json bs=4k conv=fsync status=none; cmp long.json e.json'
step 'dd if=numbers.bin of=part bs=1 skip=100 count=50 status=none; md5sum part'
step 'printf XYZ | dd of=notes.txt bs=1 seek=4 conv=notrunc status=none; cat notes.txt'
step 'printf 99 | dd of=a.json bs=1 seek=10 conv=notrunc status=none; cat a.json'
step 'dd if=notes.txt of=hole bs=1 seek=100000 status=none; md5sum hole; stat -c %s hole'
step 'dd if=notes.txt of=notes.txt oflag=append conv=notrunc bs=14 count=1 status=none; cat notes.txt'
step 'dd if=a.json of=b.json conv=excl status=none'
step 'dd if=a.json of=nothing.json conv=nocreat status=none'
step 'dd if=a.json of=new.json conv=excl,fdatasync status=none; cat new.json'
step 'dd if=/dev/zero of=zeros bs=64k count=16 conv=sparse status=none; md5sum zeros'
step 'dd if=numbers.bin bs=100k status=none | md5sum'
step 'dd if=b.json of=c.json conv=notrunc status=none; cat c.json'
