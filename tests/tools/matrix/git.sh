# shellcheck shell=bash disable=SC2016
# about: git: the repository outside (a .git file in the table says where); add, status, commit, checkout, stash, gc; nothing is re-read after a remount
# needs: git
refused 'Operation not permitted' 'git init'
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE=2001-09-09T01:46:40Z GIT_COMMITTER_DATE=2001-09-09T01:46:40Z
step 'cd "$W/Music" && git init -q -b main --separate-git-dir "$S/repository" . && cat .git'
step 'cd "$W/Music" && git add -A && git commit -q -m one && git ls-files -s'
step 'git status --porcelain'
remount
step 'git diff-files --name-only; git status --porcelain'
step 'sed -i s/EMI/Parlophone/ a.json; rm b.json; echo "{\"Year\":8}" > new.json; git status --porcelain; git diff --stat'
step 'git checkout -q -- b.json; git add -A . && git commit -q -m two; git log --format=%s'
step 'git checkout -q HEAD~1; ls; git checkout -q main; ls; cat a.json'
step 'git mv c.json d.json; git rm -q notes.txt; git status --porcelain; git stash -q; git status --porcelain; git stash pop -q; git status --porcelain'
step 'git clean -qfdx; git reset -q --hard; ls; git fsck 2>&1; git grep -l EMI'
step 'git clone -q "$S/repository" "$S/clone"; diff -r -x .git "$S/clone" "$W/Music"'
step 'chmod 600 b.json; rm "$W/Music/.git"'
unset GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_AUTHOR_DATE GIT_COMMITTER_DATE
