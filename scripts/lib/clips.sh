# shellcheck shell=bash
# The demo's clips, made from the sample media. Sourced by scripts/demo.

clips=$cache/clips

# Motion is a sum of sines throughout, so that every machine makes the same clip.

# A filter chain: a crop of a photograph as a hand-held camera would film it, 640x480 at 30 Hz.
unsteady() {
    local crop=$1 phase=$2
    printf '%s' \
        "crop=$crop,scale=1280:960:flags=bicubic,format=yuv444p," \
        "rotate='0.022*sin(2*PI*t/3.7+$phase)+0.006*sin(2*PI*t*1.3)':fillcolor=gray," \
        "zoompan=d=1:s=640x480:fps=30:z='1.16+0.03*sin(on/53+$phase)+0.004*sin(on/7)'" \
        ":x='(iw-iw/zoom)*(0.5+0.14*sin(on/41+$phase)+0.03*sin(on/5))'" \
        ":y='(ih-ih/zoom)*(0.5+0.12*sin(on/67+$phase)+0.03*sin(on/6))'," \
        "noise=alls=4:allf=t,format=yuv420p"
}

# A filter graph: a crop of a photograph as a print that a hand holds up before a wall and the camera, 640x480 at 30 Hz.
held_up() {
    local crop=$1
    printf '%s' \
        "color=0x8c9096:s=640x480:r=30,format=yuv420p,vignette=PI/5[wall];" \
        "[0]crop=$crop,scale=900:900:flags=area,format=yuva444p," \
        "rotate='0.07*sin(2*PI*t/3.7)+0.02*sin(2*PI*t*0.9)':ow=1000:oh=1000:fillcolor=black@0," \
        "scale=w='2*trunc((440+16*sin(2*PI*t/5.3)+3*sin(2*PI*t*1.1))/2)':h=-2:eval=frame:flags=bicubic[print];" \
        "[wall][print]overlay=shortest=1:eval=frame" \
        ":x='(W-w)/2+28*sin(2*PI*t/4.1)+5*sin(2*PI*t*1.2)':y='(H-h)/2+18*sin(2*PI*t/5.9)+4*sin(2*PI*t*0.8)'," \
        "noise=alls=4:allf=t,format=yuv420p"
}

# encode OUTPUT FFMPEG-ARGUMENTS…: writes a clip whole or not at all.
encode() {
    local output=$1
    shift
    ffmpeg -nostdin -v error -y "$@" -an -c:v libx264 -preset veryfast -crf 20 "$output.part.mp4"
    mv "$output.part.mp4" "$output"
}

# A printed portrait held before the camera for 20 s: a presentation attack.
make_photograph() {
    encode "$1" -loop 1 -framerate 30 -t 20 -i "$media/astronaut.png" -filter_complex "$(held_up 340:340:52:0)"
}

# Two people, 10 s each, in one stream.
make_change_of_person() {
    encode "$1" -loop 1 -framerate 30 -t 10 -i "$media/sample3.jpg" -loop 1 -framerate 30 -t 10 -i "$media/sample6.jpg" \
        -filter_complex "[0]$(unsteady 660:495:860:130 1)[a];[1]$(unsteady 600:450:60:430 2)[b];[a][b]concat=n=2:v=1[out]" -map '[out]'
}

# Makes the clips that are missing or were made by another version of this file.
make_clips() {
    local stamp
    stamp=$(sha256sum <"$lib/clips.sh")
    mkdir -p "$clips"
    if [ "$(cat "$clips/stamp" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    say "demo clips: into $clips"
    cp "$media/carphone_pristine.mp4" "$clips/genuine.mp4"
    make_photograph "$clips/photograph-held-up.mp4"
    make_change_of_person "$clips/change-of-person.mp4"
    printf '%s\n' "$stamp" >"$clips/stamp"
}
