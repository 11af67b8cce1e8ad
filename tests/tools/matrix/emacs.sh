# shellcheck shell=bash disable=SC2016
# about: emacs --batch: edit and save, backups, by copying and by renaming, lock files, a new item, rename-file, copy-file, directory-files, dired
# needs: emacs
# large
e='emacs -Q --batch'
step "$e a.json --eval '(progn (goto-char 1) (search-forward \"1977\") (replace-match \"1987\") (save-buffer))' 2>&1 | tail -n 1; cat a.json; ls -A"
step "$e b.json --eval '(progn (setq backup-by-copying t make-backup-files t) (goto-char 1) (search-forward \"1978\") (replace-match \"1988\") (save-buffer))' 2> /dev/null; cat b.json; ls -A"
step "$e new.json --eval '(progn (insert \"{\\\"Year\\\":1994}\\n\") (save-buffer))' 2> /dev/null; cat new.json"
step "$e c.json --eval '(progn (setq file-precious-flag t) (goto-char 1) (search-forward \"none\") (replace-match \"few\") (save-buffer))' 2> /dev/null; cat c.json; ls -A"
step "$e --eval '(progn (rename-file \"new.json\" \"newer.json\") (copy-file \"newer.json\" \"newest.json\" nil t) (delete-file \"newer.json\"))'; ls"
step "$e --eval '(princ (directory-files \".\"))'"
step "$e --eval '(progn (require (quote dired)) (dired \".\") (princ (buffer-size)) nil)' > /dev/null"
refused 'Operation not permitted' "$e --eval '(make-symbolic-link \"a.json\" \"soft.json\")'"
