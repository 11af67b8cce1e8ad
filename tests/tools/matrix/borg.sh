# shellcheck shell=bash disable=SC2016
# about: borg: a backup, all unchanged after a remount, extract into an empty volume gives equal tables and indexes
# needs: borg
# large
export BORG_REPO=$S/repository BORG_BASE_DIR=$S/borg BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
step 'borg init -e none'
# borg reads the files of the newest ctime again the next time, as they may have changed within its tick: so one file is newer than the rest.
step 'sleep 1.1; echo newest > newest.txt; cd "$W" && borg create --list --filter AMCE ::one . 2>&1 | sort'
step 'cd "$W" && borg create --list --filter AMCU ::two . 2>&1 | sort'
remount
step 'cd "$W" && borg create --list --filter AMCU ::three . 2>&1 | sort'
step 'echo "{\"Year\":18}" > a.json; cd "$W" && borg create --list --filter AMCU ::four . 2>&1 | sort'
second
step 'cd "$W2" && borg extract ::four'
same_trees
step 'borg check --verify-data; echo $?'
unset BORG_REPO BORG_BASE_DIR BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK BORG_RELOCATED_REPO_ACCESS_IS_OK
