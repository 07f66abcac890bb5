"""Prints what `bonafide stream --json` said, one object a line on standard input, as a table.

Of each session the last object that has a level counts; messages on the way to it are passed over.
"""

import json
import sys
import textwrap

COLUMNS = "{:<24} {:<13} {:>7} {:>15} {:>8}"


def number(value):
    return "-" if value is None else f"{value:.2f}"


def interval(result):
    low, high = result.get("authenticity_low"), result.get("authenticity_high")
    return "-" if low is None or high is None else f"{low:.2f} to {high:.2f}"


def text_of(reason):
    """A reason is a string or an object with a text."""
    if isinstance(reason, str):
        return reason
    return reason.get("text") or reason.get("code") or json.dumps(reason)


def strongest(result):
    """The result's own reasons, or those of the signals that weigh most, at most three."""
    reasons = [text_of(reason) for reason in result.get("reasons") or []]
    measured = [signal for signal in result.get("signals") or [] if signal.get("llr") is not None]
    for signal in sorted(measured, key=lambda signal: -abs(signal["llr"])):
        texts = [text_of(reason) for reason in signal.get("reasons") or []] or ["no remark"]
        reasons.append(f"{signal['name']} {signal['llr']:+.1f}: {texts[0]}")
    return list(dict.fromkeys(reasons))[:3]


def main():
    names = sys.argv[1:]
    print(COLUMNS.format("recording", "level", "score", "95 % interval", "face s"))
    last = {}
    for line in filter(str.strip, sys.stdin):
        message = json.loads(line)
        if "level" in message and "session" in message:
            last[message["session"]] = message
    results = list(last.values())
    for position, result in enumerate(results):
        name = names[position] if position < len(names) else result.get("path", "?")
        print(COLUMNS.format(name[-24:], result["level"], number(result.get("authenticity")), interval(result), number(result.get("usable_face_secs"))))
        for reason in strongest(result):
            print(textwrap.fill(reason, 100, initial_indent="    ", subsequent_indent="      "))
        print(f"    session {result['session']}")
    return 0 if len(results) == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
