# shellcheck shell=bash disable=SC2016
# about: hard and symbolic links have no place in a table: refused, in words; cp instead
# needs: ln
refused 'Operation not permitted' 'ln a.json hard.json'
refused 'Operation not permitted' 'ln notes.txt hard.txt'
refused 'Operation not permitted' 'ln -s a.json soft.json'
refused 'Operation not permitted' 'ln -s a soft'
refused 'Operation not permitted' 'ln -sf a.json b.json'
refused 'Operation not permitted' 'ln -s Queen ../Soft'
step 'ln -s "$Q/a.json" "$S/to-item"; cat "$S/to-item"; echo "{\"Year\":2}" > "$S/to-item"; cat a.json'
step 'readlink a.json; realpath a.json'
