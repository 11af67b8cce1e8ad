# shellcheck shell=bash disable=SC2016
# about: inotifywait: what a local process does is told: create, write, move, delete
# needs: inotifywait
step 'inotifywait -q -m --format "%e %f" -e create,close_write,moved_from,moved_to,delete,attrib . > "$S/events" & w=$!
for i in $(seq 100); do grep -q inotify /proc/$w/wchan 2> /dev/null; ls -l /proc/$w/fd 2> /dev/null | grep -q inotify && break; sleep 0.02; done; sleep 0.3
echo "{\"Year\":9}" > new.json; mv new.json newer.json; echo x > n.txt; mv n.txt m.txt; chmod 600 m.txt; rm newer.json m.txt; sleep 0.3; kill $w; wait $w; cat "$S/events"'
step 'inotifywait -q -t 5 -e modify --format "%e %f" a.json > "$S/one" & sleep 0.5; echo "{\"Year\":1}" > a.json; wait; cut -d" " -f1 "$S/one" | sort -u'
