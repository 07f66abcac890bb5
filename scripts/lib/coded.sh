# shellcheck shell=bash
# What a video call makes of pictures and recordings: H.264 at a call's bit rate. Sourced by scripts/evaluate.

# Side of a picture in the call in pixels, and pictures a second, which is also for how many each face is shown.
call_face=160 call_fps=15
# The picture of them that is looked at: late enough that the codec has settled, and the drift below is back where it began.
call_looked_at=11

# numbered ROOT MANIFEST OUT MULTIPLE: the pictures of a manifest (path,label,group) as OUT/list for ffmpeg's concat, the last of
# them repeated until there is a multiple of MULTIPLE, and OUT/manifest.csv for pictures named 00001.png and so on.
numbered() {
    local from=$1 manifest=$2 out=$3 multiple=$4 number=0 last path label group
    rm -rf "$out"
    mkdir -p "$out"
    printf 'path,label,group\n' >"$out/manifest.csv"
    {
        printf 'ffconcat version 1.0\n'
        while IFS=, read -r path label group; do
            number=$((number + 1)) last=$from/$path
            printf '%05d.png,%s,%s\n' $number "$label" "$group" >>"$out/manifest.csv"
            printf "file '%s'\nduration 1\n" "$last"
        done < <(tail -n +2 "$manifest")
        while [ $((number % multiple)) -ne 0 ]; do
            number=$((number + 1))
            printf "file '%s'\nduration 1\n" "$last"
        done
    } >"$out/list"
}

# coded_crops ROOT MANIFEST OUT COLUMNSxROWS KBITS: the pictures of a manifest as OUT/00001.png and so on, with OUT/manifest.csv.
# They lie side by side in a picture of COLUMNS by ROWS that drifts by three pixels as a head does, so that each gets its part of
# the bits, as in a picture that is full of detail.
coded_crops() {
    local out=$3 grid=$4 kbits=$5
    numbered "$1" "$2" "$out" $((${grid%x*} * ${grid#*x}))
    ffmpeg -nostdin -v error -y -safe 0 -f concat -i "$out/list" \
        -vf "setpts=N/TB,scale=$call_face:$call_face,tile=$grid,setpts=N/TB" -r 1 -c:v ffv1 "$out/grid.mkv"
    ffmpeg -nostdin -v error -y -i "$out/grid.mkv" \
        -vf "fps=$call_fps,pad=iw+8:ih+8:4:4,crop=iw-8:ih-8:4+3*sin(2*PI*mod(n\,$call_fps)/$call_looked_at):4,format=yuv420p" \
        -c:v libx264 -threads 1 -preset veryfast -tune zerolatency -b:v "${kbits}k" -maxrate "${kbits}k" -bufsize "${kbits}k" "$out/call.mp4"
    ffmpeg -nostdin -v error -y -i "$out/call.mp4" \
        -vf "select=eq(mod(n\,$call_fps)\,$call_looked_at),untile=$grid" -fps_mode passthrough "$out/%05d.png"
    rm -f "$out/list" "$out/grid.mkv" "$out/call.mp4"
}

# shrunk ROOT MANIFEST OUT SIDE: the pictures of a manifest with another side, named as above.
shrunk() {
    local out=$3 side=$4
    numbered "$1" "$2" "$out" 1
    ffmpeg -nostdin -v error -y -safe 0 -f concat -i "$out/list" -vf "scale=$side:$side:flags=area" \
        -fps_mode passthrough "$out/%05d.png"
    rm -f "$out/list"
}

# coded_clips FROM OUT LINES KBITS: the recordings of FROM/LABEL/ as OUT/LABEL/NAME.mp4, with at most so many lines.
coded_clips() {
    local from=$1 out=$2 lines=$3 kbits=$4 file folder
    rm -rf "$out"
    for file in "$from"/*/*; do
        folder=$out/$(basename "$(dirname "$file")")
        mkdir -p "$folder"
        ffmpeg -nostdin -v error -y -i "$file" -an -vf "scale=-2:'trunc(min(ih,$lines)/2)*2',format=yuv420p" -c:v libx264 -threads 1 \
            -preset veryfast -tune zerolatency -b:v "${kbits}k" -maxrate "${kbits}k" -bufsize "${kbits}k" \
            "$folder/$(basename "${file%.*}").mp4"
    done
}
