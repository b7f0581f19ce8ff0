"""What a library's header says of its functions, and what the first line of a
module's file says of their arguments."""

import re


def read_header(path):
    """(name, specs of arguments, specs of results), a spec being (extents,
    type, by value)."""
    text = path.read_text()
    functions = []
    for comment, name, rest in re.findall(
            r"/\*\* (.*?) \*/\nint32_t (\w+)\(attn_rt_context \*context(.*?)\);",
            text, re.DOTALL):
        specs = {"argument": [], "result": []}
        for kind, number, shape in re.findall(
                r"^ \*   (argument|result)(\d+) +(\S+)", comment, re.MULTILINE):
            extents, element = re.match(r"((?:[\d?]+x)*)(\w+)", shape).groups()
            extents = extents.split("x")[:-1]
            declared = re.search(rf"(\S+) \*?{kind}{number}\b", rest)[1]
            specs[kind].append((extents, element, declared != "attn_tensor"))
        functions.append((name, specs["argument"], specs["result"]))
    return functions


def read_options(text):
    """The shapes and ranges that the RUN line gives its arguments."""
    run = re.search(r"// RUN: attn-run(.*)", text)
    shapes, ranges, everywhere = {}, {}, None
    for option in run[1].split() if run else []:
        shape = re.fullmatch(r"--shape=(?:(\d+):)?([\dx]*)", option)
        limits = re.fullmatch(r"--random-range=(\d+):(\S+):(\S+)", option)
        if shape and shape[1]:
            shapes[int(shape[1])] = shape[2]
        elif shape:
            everywhere = shape[2]
        elif limits:
            ranges[int(limits[1])] = float(limits[2]), float(limits[3])
    return shapes, ranges, everywhere
