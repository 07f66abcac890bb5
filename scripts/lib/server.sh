# shellcheck shell=bash disable=SC2034  # the scripts that source this use url
# A server of its own for a script: free ports, an empty database, the defaults. Sourced by scripts/demo and scripts/measure-*.

server=
server_data=
# An empty file: the defaults, whatever configuration lies about.
defaults=(--config /dev/null)

# start_server BINARY: starts it, waits until it is ready, and sets url and server (its process id).
start_server() {
    local bonafide=$1 port ops_port tries
    server_data=$(mktemp -d)
    # Two ports that are free now.
    read -r port ops_port < <(python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(one.getsockname()[1] for one in held))')
    url=http://127.0.0.1:$port
    export BONAFIDE__WEB__LISTEN=127.0.0.1:0 BONAFIDE__TELEMETRY__OPS_LISTEN=127.0.0.1:$ops_port
    export BONAFIDE__STORE__DATABASE=$server_data/bonafide.sqlite
    say "starting the server on $url; its log is $server_data/server.log"
    "$bonafide" serve "${defaults[@]}" --listen "127.0.0.1:$port" >"$server_data/server.log" 2>&1 </dev/null &
    server=$!
    for ((tries = 0; ; tries++)); do
        kill -0 $server 2>/dev/null || { tail -n 20 "$server_data/server.log" >&2; server=; die "the server ended"; }
        "$bonafide" healthcheck "${defaults[@]}" >/dev/null 2>&1 && break
        [ $tries -lt 300 ] || { tail -n 20 "$server_data/server.log" >&2; die "the server is not ready after 60 s"; }
        sleep 0.2
    done
}

# Ends the server and removes what it wrote; for a trap on EXIT.
stop_server() {
    if [ -n "$server" ]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$server_data"
}
