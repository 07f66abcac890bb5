"""Prints the tests of a JUnit report that skipped themselves, one a line: name and reason."""

import re
import sys
import xml.etree.ElementTree as ElementTree

for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
    reason = re.search(r"SKIPPED: (.*)", "".join(case.itertext()))
    if reason:
        print(f"{case.get('name')}: {reason[1].strip()}")
