"""What random functions are written of: expressions with gaps, constants, ready-made functions."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.lowering.lowering_program_records import (
    BOOL,
    DECIMAL,
    FLOAT,
    INT,
    NUMERAL,
    TEXT,
    TEXTS,
    Kind,
)


class Known(NamedTuple):
    """A text that a function can write for a value of a kind."""

    text: str
    kind: Kind


def projections(text: str, kind: Kind) -> list[Known]:
    """Return what can be written with a variable: itself, its items, its fields."""
    found = [Known(text, kind)]
    if kind.name == "fields":
        for at, part in enumerate(kind.parts):
            found += projections(f"{text}.split({kind.separator!r})[{at}]", part)
    elif kind.name in ("tuple", "row"):
        for at, part in enumerate(kind.parts):
            found += projections(f"{text}[{at}]", part)
        # The parts are more useful than the whole.
        found.append(found.pop(0))
    elif kind.name == "maybe" and text.isidentifier():
        # Believed to be there, which it is not always.
        found.append(Known(text, kind.parts[0]))
    return found


# Between < and > is the kind of what comes there, or the name of a method `_NAME` of `Functions`.
# An expression that a product, power or shift works on is `sure` to be a number of bounded size:
# a text times a large number would fill the memory.
FORMS = {
    "bool": """
        (<int> < <int>)  (<int> >= <int>)  (<int> == <int>)  (<int> != <int>)  (<int> > <float>)
        (<float> < <float>)  (<float> == <float>)  (<float> <= <int>)  (<text> < <text>)
        (<text> == <text>)  (<text> == <literal>)  (<text> != <literal>)  (<text> >= <text>)
        (<int> <= <int> < <int>)  (<text> < <text> <= <text>)  (<int> == <int> == <int>)
        (<literal> in <text>)  (<part> in <text>)  (<part> not in <text>)
        (<text> in <collection_text>)  (<text> not in <collection_text>)
        (<int> in <collection_int>)  (<any> in <collection_any>)  (<float> in <collection_int>)
        (<int> not in <collection_int>)  <text>.startswith(<part>)  <text>.endswith(<part>)
        <text>.startswith(<prefixes>)  <text>.isdigit()  <text>.isalpha()  <text>.isalnum()
        <text>.isupper()  <text>.islower()  <text>.isspace()  bool(<any>)  (not <any>)
        (not <bool>)  (<bool> and <bool>)  (<bool> or <bool>)  (<bool> if <bool> else <bool>)
        (<any> is None)  (<any> is not None)  (<any> == <any>)  (<any> != <any>)
        (<tuple> == <tuple>)  (<tuple> < <tuple>)  (<bool> == <bool>)  (len(<text>) > <small>)
    """,
    "int": """
        (<int> + <int>)  (<int> + <int>)  (<int> - <int>)  (<sure> * <sure>)  (<int> // <divisor>)
        (<int> % <divisor>)  (-<int>)  (+<int>)  (~<int>)  abs(<int>)  min(<int>, <int>)
        max(<int>, <int>)  max(<int>, <int>, <int>)  len(<text>)  len(<text>)  len(<texts>)
        len(<tuple>)  int(<numeral>)  int(<numeral>)  int(<numeral>)  int(<float>)  int(<bool>)
        int(<int>)  (<bool> + <int>)  <text>.count(<part>)  <text>.find(<part>)  (<int> & <int>)
        (<int> | <int>)  (<int> ^ <int>)  (<sure> << <small>)  (<int> >> <small>)
        (<sure> ** <small>)  (<int> if <bool> else <int>)  (<int> if <bool> else <int>)
        (<int> or <int>)  (<int> and <int>)  round(<float>)  (<int> + <number>)
        (int(<numeral>) if <numeral>.isdigit() else <int>)  (<int> * <number>)
    """,
    "float": """
        (<float> + <float>)  (<float> - <float>)  (<sure_float> * <sure_float>)
        (<float> / <divisor>)  (<int> / <divisor>)  (<int> / <int>)  (<float> // <divisor>)
        (<float> % <divisor>)  (-<float>)  (+<float>)  abs(<float>)  min(<float>, <float>)
        max(<float>, <float>)  float(<int>)  float(<decimal>)  float(<decimal>)  float(<numeral>)
        round(<float>, <small>)  (<sure_float> ** <small>)  (<float> + <int>)  (<int> - <float>)
        (<sure> * <number_float>)  (<float> or <float>)  (<float> if <bool> else <float>)
        (<float> and <float>)  float(<bool>)  (<int> // <number_float>)  (<int> % <number_float>)
    """,
    "text": """
        <text>.lower()  <text>.lower()  <text>.upper()  <text>.strip()  <text>.strip()
        <text>.lstrip()  <text>.rstrip()  <text>.strip(<chars>)  <text>.lstrip(<chars>)
        <text>.rstrip(<chars>)  <text>.replace(<literal>, <literal>)  <text>.title()
        <text>[<index>]  <text>[<index>:]  <text>[:<index>]  <text>[<index>:<index>]
        <text>[<index>:<index>]  <text>[:<int>]  <text>[<int>:]  <text>[<int>]
        (<text> + <text>)  (<text> + <literal>)  (<literal> + <text> + <literal>)
        <fstring>  <fstring>  <fstring>  str(<any>)  str(<int>)  str(<float>)
        <literal>.join(<texts>)  <literal>.join((<text>, <text>))  <literal>.join([<text>, <text>])
        (<text> if <bool> else <text>)  (<text> if <bool> else <text>)  (<text> or <text>)
        (<text> and <text>)  <text>.split(<separator>)[<zero>]  <text>.split()[<index>]
        <text>.split(<separator>)[<index>]  max(<text>, <text>)  min(<text>, <text>)
        <texts>[<index>]  str(<text>)  repr(<text>)
    """,
    "texts": """
        <text>.split()  <text>.split()  <text>.split(<separator>)  <text>.split(<separator>)
        <text>.split(<separator>, <small>)  <text>.split(None, <small>)
        <text>.split(sep=<separator>)  <text>.split(maxsplit=<small>)  [<text>, <text>]  [<text>]
        (<texts> if <bool> else <texts>)  (<texts> or [<text>])  <text>.strip().split(<separator>)
        <text>.lower().split()
    """,
}

# What is rarely written, or has no expression.
RARE_FORMS = {
    "bool": """
        (<text> in <texts>)  <text>.startswith(<part>, <small>)  <text>.isnumeric()
        <text>.isdecimal()  <text>.istitle()  <text>.isidentifier()  <text>.isascii()
        (<any> == None)  (<bool> & <bool>)  (<bool> | <bool>)  (<bool> ^ <bool>)
        (<texts> == <texts>)  (<texts> < <texts>)
    """,
    "int": """
        <text>.rfind(<part>)  <text>.find(<part>, <index>)  <text>.count(<part>, <index>)
        <text>.index(<part>)  <texts>.index(<text>)  <texts>.count(<text>)  ord(<text>[<index>])
        ord(<text>[:1] or <literal>)  sum((<int>, <int>))  int(<text>)  int(<numeral>, <base>)
        (<numeral>.isdigit() and int(<numeral>))  round(<int>, <index>)  pow(<sure>, <small>)
        hash(<int>)  divmod(<int>, <divisor>)[<zero>]  max(<int>, <number>)  Number(<int>)
    """,
    "float": """
        max(<float>, <int>)  round(<float>, <index>)  (<sure_float> ** <number_float>)
        (<sure> ** (-<small>))  sum((<float>, <float>))  float(<text>)  math.floor(<float>)
        math.sqrt(abs(<float>))  (<float> * math.pi)
    """,
    "text": """
        <text>.capitalize()  <text>.swapcase()  <text>.casefold()  <text>.replace(<part>, <part>)
        <text>.replace(<part>, <part>, <index>)  <text>.removeprefix(<part>)
        <text>.removesuffix(<part>)  <text>.zfill(<width>)  <text>.ljust(<width>)
        <text>.rjust(<width>, <char>)  <text>.center(<width>)  <text>[::-1]  repr(<any>)
        <text>.partition(<separator>)[<place>]  <text>.rpartition(<separator>)[<place>]
        (<text> * <small>)  chr(<int> % 1000)  min(<texts>)  max(<texts>)  <format> % <any>
        <format>.format(<any>)  format(<any>, "")  <text>.encode().decode()  <text>.expandtabs()
        ascii(<text>)  type(<any>).__name__  Name(<text>)
    """,
    "texts": """
        <text>.split(<separator>, <index>)  <text>.rsplit(<separator>, <small>)  <text>.rsplit()
        <text>.splitlines()  sorted(<texts>)  <texts>[<index>:]  <texts>[:<index>]
        (<texts> + <texts>)  list((<text>, <text>))  list(<text>)  [w for w in <texts> if w]
        [w.lower() for w in <texts>]  <text>.split(<part>)
    """,
}
_FORM = re.compile(r"<(\w+)>")


def _split(forms: str) -> list[list[str]]:
    """Return each form as literal texts and the names between them, in turn."""
    return [_FORM.split(form) for form in re.split(r"\s{2,}", forms.strip())]


TAME = {name: _split(forms) for name, forms in FORMS.items()}
WILD = {name: TAME[name] + _split(forms) for name, forms in RARE_FORMS.items()}

CONSTANTS = {
    "int": (0, 1, 2, 3, -1, 5, 10, 7, 100, 200, 255, -2, 1000, 2**31, 2**53, 2**63 - 1, 10**19),
    "float": (0.0, 1.0, 0.5, -0.0, 0.1, 2.5, -1.5, 1e16, 1e-7, 3.0, 1e308),
    "bool": (True, False),
}
DIVISORS = ("2", "3", "10", "7", "-3", "1", "0.5", "-2.5", "100", "0", "0.0", "(2 ** 62)")
SEPARATORS = (
    *("' '", "' '", "','", "','", "'\\t'", "';'", "':'", "'='", "'::'", "'|'", "'a'", "'é'"),
    *("None", "', '", "'  '"),
)
SPECS = {
    "int": (*" d 5d 05d +d , x #x b X o c _ 20 <6 >8 ^7 e .2f % 08.3f  d n +, =+6 s".split(" "),),
    "float": (
        *" .2f .0f .10f 8.3f e g .3g % +.1f 010.2f .1% n , ,.2f <9 .3 .20f F E d".split(" "),
    ),
    "text": (*" >10 <10 ^9 .3 *^9 s 10.2 >2 é<5 0<4 05 d , .0 =8".split(" "),),
}
CONVERSIONS = ("", "", "", "", "!r", "!s", "!a")

BY_NAME = {
    "int": INT,
    "float": FLOAT,
    "bool": BOOL,
    "text": TEXT,
    "texts": TEXTS,
    "numeral": NUMERAL,
    "decimal": DECIMAL,
}
ANY = Kind("any")
READY_MADE = (
    *((TEXT, TEXT, f"str.{name}") for name in ("lower", "upper", "strip", "title", "lstrip")),
    *((TEXT, TEXTS, f"str.{name}") for name in ("split", "splitlines", "rsplit")),
    *((TEXT, BOOL, f"str.{name}") for name in ("isdigit", "isalpha", "isupper")),
    (ANY, TEXT, "str"),
    (ANY, TEXT, "repr"),
    (ANY, BOOL, "bool"),
    (ANY, BOOL, "operator.not_"),
    (TEXT, INT, "len"),
    (TEXTS, INT, "len"),
    (TEXT, TEXTS, "list"),
    (TEXTS, TEXTS, "sorted"),
    (TEXTS, TEXT, "max"),
    (NUMERAL, INT, "int"),
    (DECIMAL, FLOAT, "float"),
    (INT, INT, "abs"),
    (INT, INT, "operator.neg"),
    (INT, FLOAT, "float"),
    (FLOAT, INT, "int"),
    (FLOAT, INT, "round"),
    (FLOAT, FLOAT, "abs"),
    (INT, TEXT, "hex"),
    (TEXT, TEXT, "operator.itemgetter(0)"),
    (TEXTS, TEXT, "operator.itemgetter(-1)"),
    (TEXTS, TEXT, "','.join"),
    (TEXT, TEXT, "'-'.join"),
    (TEXT, TEXT, "'<{}>'.format"),
    (TEXT, TEXT, "operator.methodcaller('lower')"),
    (INT, INT, "functools.partial(operator.add, 2)"),
    (TEXT, TEXT, "functools.partial(operator.add, '> ')"),
    (INT, INT, "functools.partial(max, 3)"),
    (TEXT, BOOL, "functools.partial(operator.contains, 'to be or not')"),
    (TEXT, BOOL, "{'a', 'the', 'to'}.__contains__"),
    (TEXT, BOOL, "'to be or not'.__contains__"),
    (INT, BOOL, "functools.partial(operator.lt, 2)"),
)
CHOICES = (
    *("max(@, $)", "min(@, $)", "max($, @)", "min($, @)", "(@ if @ > $ else $)"),
    *("(@ if @ < $ else $)", "(@ if $ < @ else $)", "($ if $ >= @ else @)"),
    *("(@ if @ >= $ else $)", "($ if @ <= $ else @)", "(@ if $ <= @ else $)", "@", "$"),
)
READY_MERGES = {
    "int": ("operator.add", "max", "min", "operator.mul", "operator.or_", "operator.sub"),
    "float": ("operator.add", "max", "min", "operator.sub", "operator.truediv"),
    "text": ("operator.add", "max", "min"),
    "bool": ("operator.or_", "operator.and_", "max", "operator.add", "operator.xor"),
    "list": ("operator.add", "max"),
    "tuple": ("operator.add", "max", "min"),
}

# @ is the first argument and $ the second.
MERGES = {
    "int": (
        *CHOICES,
        *("(@ + $)",) * 9,
        *("max(@, $)", "min(@, $)", "(@ if @ > $ else $)", "@", "$", "(@ - $)", "(@ % 1000 * $)"),
        *("(@ + $ if @ < $ else @ - $)", "((@ + $) % 1000)", "(@ | $)", "(@ ^ $)", "($ + @)"),
        *("(@ + $ + 1)", "(@ + 2 * $)", "max(@, $, 3)", "((@ + $) / 2)", "(@ // ($ or 1))"),
        *("(@ or $)", "(@ and $)", "(@ - $ if $ else @)"),
    ),
    "float": (
        *CHOICES,
        *("(@ + $)",) * 8,
        *("max(@, $)", "min(@, $)", "(@ if @ > $ else $)", "@", "$", "(@ - $)", "((@ + $) / 2)"),
        *("(@ * 0.5 + $)", "(@ + $ if @ < $ else $)", "($ + @)", "(@ % ($ or 1))", "max($, @)"),
    ),
    "text": (
        *CHOICES,
        *("max(@, $)", "min(@, $)", "(@ + $)", "(@ + ',' + $)", "@", "$", "(@ + $)[:12]"),
        *("(@ if len(@) >= len($) else $)", "f'{@}|{$}'", "(@ and $)", "(@ or $)"),
        *("(@ if @ < $ else $)", "(@ + $).lower()", "($ + @)", "','.join((@, $))"),
    ),
    "bool": (
        "(@ or $)",
        "(@ and $)",
        "(@ + $)",
        "(@ != $)",
        "(not @)",
        "max(@, $)",
        "(@ | $)",
        "$",
    ),
    "list": ("(@ + $)", "@", "$", "max(@, $)", "(@ + $)[:5]", "(@ if len(@) > len($) else $)"),
    "tuple": ("(@ + $)", "max(@, $)", "min(@, $)", "@", "$", "(@ if @[0] > $[0] else $)"),
    "mixed": ("(@ + $)", "max(@, $)", "@", "$", "(@ or $)"),
}
