# shellcheck shell=bash
# What is made of the labelled data for scripts/evaluate and scripts/calibrate. Sourced by both.

# presentation_manifest DATA: all that presentation-attack detection can be fitted and judged on: capture sets (their people are
# told apart by the program), portraits of many people, and recordings of one person each.
presentation_manifest() (
    cd "$1"
    printf 'path,label,source,group\n'
    tail -n +2 pad/manifest.csv | tr -d '\r' | awk -F, '{ print "pad/" $1 "," $2 "," $3 "," }'
    for file in faces/lfw/*/*.jpg; do
        person=${file%/*}
        printf '%s,bona_fide,lfw,%s\n' "$file" "${person##*/}"
    done
    for file in clips/bona_fide/* clips/presentation_attack/*; do
        label=${file#clips/} name=${file##*/}
        printf '%s,%s,clips,%s\n' "$file" "${label%%/*}" "${name%.*}"
    done
)
