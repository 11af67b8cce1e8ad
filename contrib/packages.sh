# shellcheck shell=bash
# Sourced by quickstart.sh, test.sh and bench.sh.
#
# packages_install PURPOSE…: installs what contrib/packages.txt, and the list of the matrix of tools, name for these purposes and this machine has not,
# by itself as root and with sudo otherwise. Nothing missing: nothing is run. Not Debian: it says what would be wanted and goes on, as it may be
# there under another name.

packages_as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo > /dev/null; then
		sudo -- "$@"
	else
		echo "This needs root, and there is no sudo: $*" >&2
		return 1
	fi
}

packages_install() {
	local here purposes missing=() package
	here=$(dirname "${BASH_SOURCE[0]}")
	purposes=$(IFS='|'; echo "$*")
	while read -r package; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || missing+=("$package")
	done < <(sed -nE "s/^($purposes) +//p" "$here/packages.txt" "$here/../tests/tools/matrix/packages.txt")
	[ ${#missing[@]} -gt 0 ] || return 0
	if ! command -v apt-get > /dev/null; then
		echo "No apt-get here. On Debian these would be installed: ${missing[*]}" >&2
		return 0
	fi
	echo "Installing ${missing[*]}" >&2
	packages_as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2 &&
		packages_as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >&2
}
