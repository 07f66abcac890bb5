# shellcheck shell=bash
# What is made of the labelled data for scripts/evaluate and scripts/calibrate. Sourced by both.

# presentation_manifest DATA HELD_OUT: all that presentation-attack detection can be fitted and judged on: capture sets (their
# people are told apart by the program), portraits of many people, and recordings of one person each. What the model was trained
# on has the statistic of a model that was not trained on its source, or on its person (HELD_OUT is source or person).
presentation_manifest() (
    cd "$1"
    printf 'path,label,source,group,held_out\n'
    {
        tail -n +2 pad/manifest.csv | tr -d '\r' | awk -F, '{ print "pad/" $1 "," $2 "," $3 "," }'
        for file in faces/lfw/*/*.jpg; do
            person=${file%/*}
            printf '%s,bona_fide,lfw,%s\n' "$file" "${person##*/}"
        done
        for file in clips/bona_fide/* clips/presentation_attack/*; do
            label=${file#clips/} name=${file##*/}
            printf '%s,%s,clips,%s\n' "$file" "${label%%/*}" "${name%.*}"
        done
    } | awk -F, -v OFS=, -v column="$2" '
        FILENAME != "-" && FNR == 1 { for (at = 1; at <= NF; at++) if ($at == column) wanted = at; next }
        FILENAME != "-" { held_out[$1] = $wanted; next }
        { print $0, held_out[$1] }' "$root/training/presentation/held_out.csv" -
)

# portrait_manifest DATA: the portraits of LFW below its own folder, labelled by person.
portrait_manifest() (
    cd "$1/faces/lfw"
    printf 'path,label,group\n'
    for file in */*.jpg; do printf '%s,%s,%s\n' "$file" "${file%%/*}" "${file%%/*}"; done
)

# deepfake_manifest DATA HALF: the crops of DFDC whose source videos training did not see; calibrations are fitted on those of
# every other source video (HALF is 0), error rates are measured on the rest (HALF is 1).
deepfake_manifest() {
    printf 'path,label,group\n'
    tail -n +2 "$1/deepfake/dfdc-faces/manifest.csv" | tr -d '\r' | sort -t, -k3,3 -k1,1 | awk -F, -v half="$2" '
        $4 == "val" && !($3 in seen) { seen[$3] = n++ % 2 }
        $4 == "val" && seen[$3] == half { print $1 "," $2 "," $3 }'
}

# scene_manifest DATA: pictures of places. Recordings by their own name, but for two of one room each; two capture sets, of one room
# each, a few pictures of either; photographs of rooms where DATA has them (scenes/manifest.csv), else one portrait a person.
scene_manifest() (
    cd "$1"
    printf 'path,scene\n'
    for file in clips/bona_fide/* clips/deepfake/* clips/presentation_attack/*; do
        place=${file##*/} place=${place%.*}
        case $place in
        ffpp_deepfakes_519_515) place=ffpp_519 ;;
        replay_apfol) place=webcam_apfol ;;
        # A screen that fills the picture.
        replay_tranvanluyt) continue ;;
        esac
        printf '%s,%s\n' "$file" "$place"
    done
    tail -n +2 pad/manifest.csv | tr -d '\r' | awk -F, '
        ($3 == "koropati" || $3 == "ahforoughi" && $2 == "bona_fide") && n[$3]++ % 8 == 0 { print "pad/" $1 "," $3 }'
    if [ -f scenes/manifest.csv ]; then
        tail -n +2 scenes/manifest.csv | tr -d '\r' | sed 's,^,scenes/,'
    else
        for person in faces/lfw/*/; do
            files=("$person"*.jpg)
            printf '%s,%s\n' "${files[0]}" "$(basename "$person")"
        done
    fi
)
