# shellcheck shell=bash disable=SC2016
# about: inotifywait: what a local process does is told: create, write, move, delete
# needs: inotifywait
# It is asked of the kernel when the watch stands, and of the events when the last one is told: no guess at how long that takes.
watching='watching() { for i in $(seq 3000); do grep -qs "^inotify wd" /proc/$1/fdinfo/* && break; sleep 0.01; done; }'
step "$watching"'; inotifywait -q -m --format "%e %f" -e create,close_write,moved_from,moved_to,delete,attrib . > "$S/events" & w=$!; watching $w
echo "{\"Year\":9}" > new.json; mv new.json newer.json; echo x > n.txt; mv n.txt m.txt; chmod 600 m.txt; rm newer.json m.txt
for i in $(seq 3000); do grep -q "DELETE m.txt" "$S/events" && break; sleep 0.01; done; kill $w; wait $w; cat "$S/events"'
step "$watching"'; inotifywait -q -t 50 -e modify --format "%e %f" a.json > "$S/one" & w=$!; watching $w; echo "{\"Year\":1}" > a.json; wait; cut -d" " -f1 "$S/one" | sort -u'
