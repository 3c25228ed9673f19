#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that every #include keeps to the floors of the rooms and to the third parties each room may take.

Usage: check_includes.py [ROOT]. Prints one line for each violation and exits 1 if there is one.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple, Optional

FLOORS = {
    "core": 0,
    "image": 1, "metric": 1, "config": 1, "platform": 1,
    "spectral": 2, "nn": 2,
    "synthetic": 3, "preprocess": 3, "format": 3,
    "detector": 4, "files": 4, "io": 4,
    "model": 5,
    "decision": 6,
    "engine": 7,
    "evaluation": 8,
    "app": 9,
}
OPENS_FILES = ("format", "files", "io")
NEVER = {**{("model", room): "model opens no image" for room in OPENS_FILES},
         **{("detector", room): "a detector opens no image" for room in OPENS_FILES},
         **{(room, "nn"): f"{room} knows no network" for room in OPENS_FILES}}

# Third party -> the include that shows it, and the rooms, folders or files that may take it.
THIRD_PARTIES = {
    "spdlog": (r"spdlog/", ["core/log.cpp"]),
    "yaml-cpp": (r"yaml-cpp/", ["config"]),
    "GDAL": (r"(gdal|ogr_|cpl_|vrtdataset)\w*\.h", ["format", "files", "io"]),
    "OpenCV": (r"opencv2/", ["io"]),
    "CLI11": (r"CLI/", ["app"]),
    "nlohmann_json": (r"nlohmann/", ["model", "io", "engine", "app"]),
    "torch": (r"(torch|ATen|c10|caffe2)/",
              ["platform", "image", "metric", "spectral", "nn", "synthetic", "preprocess", "format", "detector", "io",
               "model", "decision", "engine", "evaluation",
               "app/commands", "app/main.cpp"]),
}
IN_PUBLIC_HEADERS = {"torch"}

LISTED = re.compile(r"\b(HEADERS|PAIRS)\b(.*?)(?=\b(?:PAIRS|SOURCES|ROOMS|PRIVATE|HEADERS)\b|\))", re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
# What a file says -> the header of torch that declares it, and what that header includes of the others.
TORCH = {
    "torch/types.h": (r"\b(torch|at|c10)::\w|\bTORCH_CHECK\b", ()),
    "torch/utils.h": (r"\btorch::(NoGradGuard|GradMode)\b", ("torch/types.h",)),
    "torch/arg.h": (r"\bTORCH_ARG\b", ()),
    "torch/nn/module.h": (r"\btorch::nn::Module\b", ("torch/types.h",)),
    "torch/nn/cloneable.h": (r"\btorch::nn::Cloneable\b", ("torch/nn/module.h", "torch/utils.h")),
    "torch/nn/pimpl.h": (r"\bTORCH_MODULE\b", ("torch/types.h", "torch/arg.h")),
    "torch/nn/modules/common.h": (r"\bFORWARD_HAS_DEFAULT_ARGS\b", ()),
    "torch/nn/modules/conv.h": (r"\btorch::nn::Conv",
                                ("torch/nn/cloneable.h", "torch/nn/pimpl.h", "torch/nn/modules/common.h")),
    "torch/nn/modules/linear.h": (r"\btorch::nn::Linear", ("torch/nn/cloneable.h", "torch/nn/pimpl.h")),
    "torch/nn/modules/batchnorm.h": (r"\btorch::nn::BatchNorm", ("torch/nn/cloneable.h", "torch/nn/pimpl.h")),
    "torch/nn/modules/container/any.h": (r"\btorch::nn::Any", ("torch/nn/cloneable.h", "torch/nn/pimpl.h")),
    "torch/nn/functional/padding.h": (r"\btorch::nn::functional\b", ()),
    "torch/nn/utils/clip_grad.h": (r"\btorch::nn::utils::clip_grad", ()),
    "torch/optim/adamw.h": (r"\btorch::optim::AdamW", ("torch/nn/module.h", "torch/arg.h")),
    "torch/cuda.h": (r"\btorch::cuda::", ()),
}
COMMENT = re.compile(r"//.*")


class Source(NamedTuple):
    """A file of the library or of the program; its place is the path below lib/hyperdefect, or app/…."""
    room: str
    place: str
    is_public: bool
    public_headers: frozenset


def public_headers_of(room_folder: Path) -> frozenset:
    """The headers that the room's CMakeLists.txt lists as HEADERS or by PAIRS: those are installed."""
    lists = room_folder / "CMakeLists.txt"
    text = lists.read_text(encoding="utf-8") if lists.is_file() else ""
    return frozenset(name + (".h" if kind == "PAIRS" else "")
                     for kind, names in LISTED.findall(text) for name in names.split())


def source_of(path: Path, root: Path) -> Optional[Source]:
    in_library = path.relative_to(root).parts[0] == "lib"
    parts = path.relative_to(root / "lib/hyperdefect" if in_library else root).parts
    if len(parts) < 2:
        return None
    public = public_headers_of(root / "lib/hyperdefect" / parts[0]) if in_library else frozenset()
    return Source(parts[0], "/".join(parts), "/".join(parts[1:]) in public, public)


def room_problem(source: Source, header: str) -> Optional[str]:
    """What is wrong with the include of another room's header, if anything is."""
    parts = header.split("/")
    target = parts[0] if parts[0] == "app" else parts[1]
    if target == source.room:
        if source.is_public and "/".join(parts[2:]) not in source.public_headers:
            return "a header that is installed includes one that is not (HEADERS and PAIRS in the room's CMakeLists.txt)"
        return None
    if target not in FLOORS:
        return f"{target} is no room"
    if (source.room, target) in NEVER:
        return f"{source.room} never takes {target}: {NEVER[source.room, target]}"
    if FLOORS[target] >= FLOORS[source.room]:
        return (f"{source.room} (floor {FLOORS[source.room]}) takes {target} (floor {FLOORS[target]}), "
                "a room takes rooms of lower floors only")
    return None


def third_party_problem(source: Source, header: str) -> Optional[str]:
    """What is wrong with the include of a third party's header, if anything is."""
    for name, (pattern, places) in THIRD_PARTIES.items():
        if not re.match(pattern, header):
            continue
        if not any(source.place == place or source.place.startswith(place + "/") for place in places):
            return f"{name} may be taken by {', '.join(places)} only"
        if source.is_public and name not in IN_PUBLIC_HEADERS:
            return f"{name} stays out of public headers"
    return None


def includes_of(text: str):
    for number, line in enumerate(text.splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match.group(1)


def problems_of(path: Path, root: Path):
    source = source_of(path, root)
    if source is None:
        return
    if source.room not in FLOORS:
        yield f"{path.relative_to(root)}: {source.room} is no room: give it a floor in scripts/check_includes.py"
        return
    for line, header in includes_of(path.read_text(encoding="utf-8")):
        ours = header.startswith(("hyperdefect/", "app/"))
        problem = room_problem(source, header) if ours else third_party_problem(source, header)
        if problem:
            yield f"{path.relative_to(root)}:{line}: {header}: {problem}"


def taken_from_torch(path: Path, root: Path, seen: set) -> set:
    """The headers of torch that the file includes, itself or through our own headers, or through those of torch."""
    taken, todo = set(), []
    if path in seen or not path.is_file():
        return taken
    seen.add(path)
    for _, header in includes_of(path.read_text(encoding="utf-8")):
        below = root if header.startswith("app/") else root / "lib"
        todo.append(header)
        taken |= taken_from_torch(below / header, root, seen)
    while todo:
        header = todo.pop()
        taken.add(header)
        todo += TORCH.get(header, ("", ()))[1]
    return taken


def hidden_torch(path: Path, root: Path):
    """A file that leans on the precompiled header does not compile for those who have none."""
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    if "<torch/torch.h>" in text:
        yield (f"{path.relative_to(root)}: includes all of torch, which takes 7 s to compile: name the headers that "
               "declare what it uses, <torch/types.h> for tensors")
        return
    wanted = [header for header, (pattern, _) in TORCH.items() if re.search(pattern, text)]
    taken = taken_from_torch(path, root, set()) if wanted else set()
    for header in wanted:
        if header not in taken:
            yield f"{path.relative_to(root)}: uses torch without an #include of it: <{header}> is missing"


def check(root: Path):
    """All violations below root, one line each."""
    files = sorted(path for folder in ("lib/hyperdefect", "app") for path in (root / folder).rglob("*")
                   if path.suffix in (".h", ".cpp"))
    return [problem for path in files for find in (problems_of, hidden_torch) for problem in find(path, root)]


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems = check(root)
    print("\n".join(problems) if problems else "includes: every room keeps to its floor")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
