# Shared by the scripts beside it; read with `.`, never run.
# Knows how to speak to the person who waits, and how to become root for one command.

project=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)

# One line of progress.
say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# What went wrong, then the mend on lines of their own; ends the script.
fail() {
    printf '%s: ERROR: %s\n' "${0##*/}" "$1" >&2
    shift
    for line in "$@"; do
        printf '    %s\n' "$line" >&2
    done
    exit 1
}

# Print the comment at the head of the script as its help.
help_from_head() {
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
}

# version_at_least 22.10.1 22.9.0 -> false (true when the second is not smaller than the first)
version_at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# Ask when somebody is there to answer; SETUP_YES=1 answers for him.
agreed() {
    [ "${SETUP_YES:-}" = 1 ] && return 0
    if [ -t 0 ] && [ -t 2 ]; then
        printf '%s: go on? [Y/n] ' "${0##*/}" >&2
        read -r answer
        case $answer in '' | [Yy]*) return 0 ;; *) return 1 ;; esac
    fi
    return 0
}

# Run one command as root: as we are, or with sudo (which asks only when somebody can answer).
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null; then
        fail "this needs root, and there is no sudo here" "Run as root:  $*"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@" || fail "this needs root, and sudo would have to ask for a password" "Run:  sudo $*"
    fi
}

# install_packages name... : from the machine's own distribution
install_packages() {
    command -v apt-get >/dev/null || fail "missing: $*" \
        "This machine has no apt-get. Install the programs of these Debian packages in your own way."
    agreed || fail "not installed: $*" "Run:  apt-get install --no-install-recommends $*"
    say "apt-get update"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 || say "update failed; going on with the known lists"
    say "apt-get install $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ||
        fail "apt-get could not install: $*" "Its own words stand above."
}
