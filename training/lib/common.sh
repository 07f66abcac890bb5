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
