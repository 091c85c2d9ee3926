# SPDX-License-Identifier: MIT
"""What the sources say."""

import re


def comments(file):
    """Each on one line, without its stars."""
    for text in re.findall(r"/\*(.*?)\*/", file.read_text(), re.S):
        yield " ".join(re.sub(r"(?m)^\s*\*", "", text).split())
