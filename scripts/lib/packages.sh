# shellcheck shell=bash
# Debian packages: installs those of some lists that are missing. Sourced by scripts/setup.

# Whether dpkg has a package installed and configured.
installed() { [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Installs the packages of the given list files that are missing; touches the network only then.
install_packages() {
    local package missing=()
    command -v apt-get >/dev/null ||
        die "apt-get is missing: install what scripts/lib/debian-*.txt name with your own tools, then call with --no-packages"
    for package in $(list "$@"); do
        installed "$package" || missing+=("$package")
    done
    # A node from elsewhere usually brings npm, and Debian's npm would pull a second one in.
    command -v npm >/dev/null || missing+=(npm)
    if [ ${#missing[@]} = 0 ]; then
        say "Debian packages: all there"
        return
    fi
    say "Debian packages: installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}
