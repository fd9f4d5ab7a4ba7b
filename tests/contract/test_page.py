"""The sandbox's page is served whole, asks for nothing from elsewhere, and cannot be made to run what a text says."""

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from sandbox.driver import Sandbox
from sandbox.server import PAGE

MANIFEST = Path(__file__).parents[2] / "manifest.yml"
MODULES = sorted(PAGE.glob("*.js"))
FILES = sorted(PAGE.iterdir())

TYPES = {".html": {"text/html"}, ".css": {"text/css"}, ".js": {"text/javascript", "application/javascript"}}

#: What makes markup or code out of text.
DANGEROUS = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\b|new Function")
IMPORT = re.compile(r'^import .*?from "(.+?)";', re.MULTILINE | re.DOTALL)


class Elements(HTMLParser):
    """The elements of a document, each with its attributes, and the code that stands between script tags."""

    def __init__(self, document):
        super().__init__()
        self.found = []
        self.inline = ""
        self.feed(document)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        if self.lasttag in {"script", "style"}:
            self.inline += data.strip()


@pytest.fixture
async def http():
    async with (
        Sandbox.start(MANIFEST) as sandbox,
        httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def page():
    return Elements((PAGE / "index.html").read_text())


async def test_the_page_and_everything_it_loads_are_served(http, page):
    """A browser gets each file with the type without which it would not use it."""
    answer = await http.get("/")
    assert answer.text == (PAGE / "index.html").read_text()
    paths = [value for _, attributes in page.found for name, value in attributes.items() if name in {"src", "href"}]
    loaded = [path for path in paths if path.startswith("/")]
    assert loaded
    for path in [*loaded, *(f"/page/{file.name}" for file in FILES)]:
        served = await http.get(path)
        assert served.status_code == 200, path
        assert served.headers["content-type"].split(";")[0] in TYPES[Path(path).suffix], path


async def test_the_page_forbids_everything_but_its_own_files(http):
    """The policy comes with the page and each of its files, and keeps other pages from framing it."""
    for path in ("/", "/page/main.js"):
        headers = (await http.get(path)).headers
        rules = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
        assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
        assert {rules[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
        assert headers["x-content-type-options"] == "nosniff"


async def test_every_route_that_the_page_posts_to_is_there(http):
    """A person who is nobody is refused in words; a route that is misspelt would not be found."""
    paths = re.findall(r'post\("(/_sandbox/[\w/]+)"', (PAGE / "sandbox.js").read_text())
    assert len(paths) >= 8
    for path in paths:
        answer = await http.post(path, json={})
        assert (answer.status_code, answer.json()["error"]) == (400, "there is nobody called "), path


def test_no_code_or_style_stands_outside_the_files(page):
    """The policy would forbid it."""
    assert page.inline == ""
    assert not [name for _, one in page.found for name in one if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_names_another_place(file):
    """Nothing is loaded from anywhere but this machine."""
    assert not re.search(r"(https?:)?//\w[\w.-]*\.\w|@import|url\(", without_comments(file.read_text()))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_no_module_makes_markup_or_code_of_text(module):
    """What people and apps write becomes text nodes only."""
    assert not DANGEROUS.search(module.read_text())


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_import_is_a_module_of_the_page(module):
    """A misspelt import would leave the page blank."""
    for name in IMPORT.findall(module.read_text()):
        assert (PAGE / name).is_file(), name


def without_comments(text):
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
