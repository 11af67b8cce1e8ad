# shellcheck shell=bash disable=SC2016
# about: restic: a backup, all unchanged after a remount, restore into an empty volume gives equal tables and indexes
# needs: restic jq
# large
limit=120
export RESTIC_PASSWORD=x RESTIC_REPOSITORY=$S/repository RESTIC_CACHE_DIR=$S/cache
r='jq -r "select(.message_type == \"summary\") | \"new \(.files_new) changed \(.files_changed) unmodified \(.files_unmodified) added \(.data_blobs)\""'
step 'restic init -q'
step "cd \"\$W\" && restic backup --json . | $r"
step "cd \"\$W\" && restic backup --json . | $r"
remount
step "cd \"\$W\" && restic backup --json . | $r"
step "echo '{\"Year\":17}' > a.json; cd \"\$W\" && restic backup --json . | $r"
second
step 'restic restore -q latest --target "$W2"'
same_trees
step 'restic check -q; echo $?'
unset RESTIC_PASSWORD RESTIC_REPOSITORY RESTIC_CACHE_DIR
