"""How the AWS CLI prints documents: python3 aws_output.py < DOCUMENTS

Reads one JSON document a line and answers a JSON line for each, with what AWS
CLI v2's own formatters print: {"json", "text", "table", "color", "yaml"}; a
form that they refuse is absent. Exits with 3 where there is no AWS CLI v2.
"""
import io
import json
import sys

try:
    import awscli
    from awscli import formatter, text
    import colorama
except ImportError:
    sys.exit(3)
if not awscli.__version__.startswith("2.") or not hasattr(formatter, "YAMLFormatter"):
    sys.exit(3)

colorama.init = lambda **options: None  # it wraps stdout once more each time
TITLE, WIDTH = "DescribeThing", 80


class Arguments:
    def __init__(self, color):
        self.query, self.color = None, color


def printed(form, color, value):
    stream = io.StringIO()
    if form == "text":
        text.format_text(value, stream)
        return stream.getvalue()
    printer = formatter.get_formatter(form, Arguments(color))
    if form == "table":
        printer.table._terminal_width = WIDTH
    printer._format_response(TITLE, value, stream)
    return stream.getvalue()


for line in sys.stdin:
    row = {}
    for key, form, color in (("json", "json", "off"), ("text", "text", "off"),
                             ("table", "table", "off"), ("color", "table", "on"),
                             ("yaml", "yaml", "off")):
        try:
            row[key] = printed(form, color, json.loads(line))
        except Exception:
            pass
    print(json.dumps(row))
