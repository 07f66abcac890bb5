# shellcheck shell=bash disable=SC2034  # the scripts that source this use its variables
# Shared by the scripts in this folder's parent: where things lie and how to speak. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lib=$root/scripts/lib
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bonafide
media=$cache/media
venv=$cache/venv
browser=$cache/browser

say() { printf '%s\n' "${0##*/}: $*" >&2; }

die() {
    say "$*"
    exit 1
}

# The words of a list file, without its comments.
list() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@" | sort -u; }

# Runs a command as root: directly, or through sudo without asking.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@"
    else
        die "cannot run '$*': be root or install sudo"
    fi
}

# The path of the binary that `cargo build` makes in a profile: `dev` or `release`.
binary() {
    local folder=$1
    [ "$folder" != dev ] || folder=debug
    printf '%s/%s/bonafide\n' "${CARGO_TARGET_DIR:-$root/target}" "$folder"
}
