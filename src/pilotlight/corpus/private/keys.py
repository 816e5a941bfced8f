"""Keys and secrets: those with a known beginning, tokens, private keys, and values that code calls a password."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from pilotlight.corpus.private import signs
from pilotlight.corpus.private.passage import Finding, Passage

_VALUE: Final = re.compile(
    r">?[ \t]{0,3}(?:[brfu]?[\"'`])?(?:([^\s\"'`,;(){}\[\]<>]{8,200}+)|([^\"'`\s]{8,200}+)[\"'`])"
)
# What issuers mark their keys with. Each begins with a rare sign and looks back from it: a search that stops nowhere else.
_UNDERSCORED: Final = re.compile(
    r"_(?=[0-9A-Za-z_+/=]{16})(?:(?<=\bgh[pousr]_)[0-9A-Za-z]{36,255}|(?<=\bgithub_)pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}"
    r"|(?<=\b[srp]k_)(?:live|test)_[0-9A-Za-z]{16,128}|(?<=\bwhsec_)[0-9A-Za-z+/=]{24,64}|(?<=\bnpm_)[0-9A-Za-z]{36}"
    r"|(?<=\bhf_)[0-9A-Za-z]{30,40}"
    r"|(?<=\bdop_)v1_[0-9a-f]{64}|(?<=\bshpat_)[0-9a-fA-F]{32}|(?<=\bgsk_)[0-9A-Za-z]{40,60}"
    r"|(?<=\bdckr_)pat_[0-9A-Za-z_-]{20,40}|(?<=\blin_)api_[0-9A-Za-z]{40}"
    r"|(?<=\br8_)[0-9A-Za-z]{37})"
)
_DASHED: Final = re.compile(
    r"-(?=[0-9A-Za-z][0-9A-Za-z_-]{9})(?:(?<=\bxox[abeoprs]-)[0-9A-Za-z-]{10,250}|(?<=\bglpat-)[0-9A-Za-z_-]{20,64}"
    r"|(?<=\bsk-)(?:proj-|svcacct-|admin-|ant-[a-z]{3}[0-9]{2}-|or-v1-)?[0-9A-Za-z_-]{20,200}"
    r"|(?<=\bpypi-)AgE[0-9A-Za-z_-]{50,300}|(?<=\bkey-)[0-9a-f]{32}|(?<=\bxapp-)[0-9]-[0-9A-Za-z-]{20,200})"
)
_CAPITALS: Final = re.compile(
    r"KIA(?<=\bAKIA)[0-9A-Z]{16}|SIA(?<=\bASIA)[0-9A-Z]{16}|Iza(?<=\bAIza)[0-9A-Za-z_-]{35}"
    r"|J(?<=\beyJ)[0-9A-Za-z_-]{10,4000}\.eyJ[0-9A-Za-z_-]{8,8000}(?:\.[0-9A-Za-z_-]{0,2000})?"
    r"|G\.(?<=\bSG\.)[0-9A-Za-z_-]{16,32}\.[0-9A-Za-z_-]{32,64}"
)
_BEHIND_COLON: Final = re.compile(r":(?=AA)([0-9A-Za-z_-]{35})(?![0-9A-Za-z_-])")
_MARKS: Final = (
    (signs.UNDERSCORE, _UNDERSCORED),
    (signs.DASH, _DASHED),
    (signs.COLON, _BEHIND_COLON),
)
_ASSIGNED: Final = (
    (signs.COLON, re.compile(rf":(?<!::){signs.START}")), (signs.EQUALS, re.compile(rf"=(?<![=!<>]=){signs.START}")),
)  # fmt: skip
_BEFORE: Final = re.compile(r"(?:[0-9A-Za-z_]{1,10}[-.]?|[0-9]{8,10}:)$")
_MORE: Final = re.compile(r"[0-9A-Za-z_]")
_PEM: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY: Final = re.compile(
    r"(?:\\[nr]|[\s\"'+,;0-9A-Za-z/=.:()\-\\]){40,8000}?-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
)
_NAME: Final = re.compile(
    r"(?i)([a-z0-9_.\-\[\]\"']*(?:pass(?:wo?r?d|wd|phrase|code)|\bpwd|secret|token|api[_.\- ]?key|access[_.\- ]?key"
    r"|auth[_.\- ]?key|private[_.\- ]?key"
    r"|encryption[_.\- ]?key|account[_.\- ]?key|client[_.\- ]?secret|credential|sharedaccesskey|apikey|bearer"
    r"|contraseña|contrasenya|mot de passe|passwort|kennwort|senha|wachtwoord)s?"
    r"[a-z0-9_\-]{0,16})[\"'\])]{0,3}(?:[ \t]{0,16}|: ?(?:str|String|&str|string)[ \t]?)$"
)
_BEARER: Final = re.compile(r"earer (?<=[Bb]earer )([0-9A-Za-z_.~+/-]{20,2000}=*)")
_PLAIN_PASSWORD: Final = re.compile(
    r"(?i)(?:pass(?:word|wd|code|phrase)|pwd|contraseña|contrasenya|mot de passe|passwort|senha)$"
)
_WORDY: Final = re.compile(
    r"(?i)[a-z]+(?:[-_. /:][a-z]+){0,12}[0-9]{0,3}|.*(?:example|placeholder|changeme|your[-_ ]|dummy|sample|redacted"
    r"|todo|insert|enter|test|fake|xxxx|\*\*\*|1234567|abcdef|\.\.\.|secret|password|passwd).*"
    r"|[\[({<$%].*|.*[$%]\{.*|.*\{\{?.*|[./~\\].*|https?:.*|[a-z]:\\.*"
)
_KNOWN_FORM: Final = re.compile(
    r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|sha[0-9]{1,3}[-:].*|md5[-:].*|[0-9.,:/+-]+|0x[0-9a-f]+"
)
_CODE: Final = re.compile(
    r"[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)+|[A-Za-z_]\w*[(\[].*|[A-Z][A-Z0-9_]+|[a-z][a-z0-9]*(?:_[a-z0-9]+)+|self\..*"
    r"|os\..*|process\..*"
)


def _entropy(word: str) -> float:
    """Return the entropy of the letters of a word in bits per letter."""
    size = len(word)
    counts = [word.count(letter) for letter in sorted(set(word))]
    return -sum(count / size * math.log2(count / size) for count in counts)


def _random(word: str) -> bool:
    """Return whether a word looks drawn by chance: mixed letters and digits, few of them twice, no words in it."""
    digits = sum(letter.isdigit() for letter in word)
    letters = sum(letter.isalpha() for letter in word)
    if not digits or not letters or len(set(word)) < 8:
        return False
    turns = sum(
        left.isdigit() != right.isdigit() or left.islower() != right.islower() for left, right in pairwise(word)
    )
    return _entropy(word) >= min(3.0, math.log2(len(word)) * 0.8) and turns >= len(word) / 6


def issued(passage: Passage) -> Iterator[Finding]:
    """Yield keys that their issuer marks with a prefix, and tokens of three parts (RFC 7519)."""
    for sign, marks in _MARKS:
        if passage.signs & sign:
            for match in marks.finditer(passage.text):
                yield from _prefixed(passage.text, *match.span(match.lastindex or 0))
    for place in passage.capitals():
        match = _CAPITALS.match(passage.text, place)
        if match is not None:
            yield from _prefixed(passage.text, *match.span())


def _prefixed(text: str, at: int, end: int) -> Iterator[Finding]:
    before = _BEFORE.search(text[max(0, at - 11) : at])
    start = at - (len(before[0]) if before else 0)
    word = text[start:end]
    if _MORE.match(text, end) or _known_example(word):
        return
    body = word[word.find("_", 3) + 1 :] if "_" in word[:12] else word
    if not word.startswith("sk-") or (
        _random(body) and len(re.findall("[0-9A-Z]", body)) >= 6 and text[start - 1 : start] != "-"
    ):
        yield Finding(start, end, "secret", 95)


def assigned(passage: Passage) -> Iterator[Finding]:
    """Yield values assigned to a password or a key that look drawn by chance, or as a person chooses them."""
    text = passage.text
    for sign, starts in _ASSIGNED:
        misses = 0
        for match in starts.finditer(text) if passage.signs & sign else ():
            if _may_name(text, match.start()):
                yield from _assigned(text, match.start())
            elif (misses := misses + 1) == _MANY and not _may_name(text, len(text), len(text)):
                return  # nothing in the text is called by any such name


def _assigned(text: str, sign: int) -> Iterator[Finding]:
    match = _VALUE.match(text, sign + 1)
    if match is None:
        return
    start, group = match.start(match.lastindex or 0), match[match.lastindex or 0]
    quoted = text[start - 1] in "\"'`"
    value = group if quoted else group.partition("&")[0].rstrip(".,;)")
    if len(value) < 8:
        return
    name = _NAME.search(text, max(0, sign - 60), sign)
    if (
        name is None
        or _WORDY.fullmatch(value)
        or _KNOWN_FORM.fullmatch(value)
        or (not quoted and _CODE.fullmatch(value))
    ):
        return
    called = name[1].strip("\"'[])").rpartition(".")[2]
    chosen = _PLAIN_PASSWORD.search(called) and _chosen(value)
    drawn = _random(value) and (len(value) >= 16 or (len(value) >= 10 and "key" not in called.lower()))
    if chosen or drawn:
        yield Finding(start, start + len(value), "secret", 75)


_TALKED_OF: Final = ("mot de passe", "senha", "Senha", "ennwort", "achtwoord")
_TOLD: Final = re.compile(
    r"[pkcmswPKCMSW](?<!\w.)(?i:(?<=p)ass(?:word|wd|phrase|wort)|(?<=k)ennwort|(?<=c)ontrase(?:ñ|ny)a|(?<=m)ot de passe"
    r"|(?<=s)enha|(?<=w)achtwoord)"
    r"(?i: ?[:=]| is(?: now)?:?| was:?| ist:?| es:?| est:?| é:?) {0,3}[\"'`]?([^\s\"'`]{8,64})(?![^\s\"'`])"
)
_EXPRESSION: Final = re.compile(
    r".*(?:[A-Za-z_]{3,}\(|\w\[|\$[({]|\{\{|%\()|\$[A-Za-z_]\w*\W?$|[\[({<%][\w .:-]*[\])}>%]\W?$|.*[./\\][a-z_]{4,}"
    r"|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\W?$"
)


def told(passage: Passage) -> Iterator[Finding]:
    """Yield passwords that are told (*my password is ...*), and tokens behind the word ``Bearer``."""
    text = passage.text
    if "assw" in text or "ontrase" in text or (passage.regions and any(map(text.__contains__, _TALKED_OF))):
        yield from _told(text)
    if "earer " in text:
        for match in _BEARER.finditer(text):
            if _random(match[1]):
                yield Finding(match.start(1), match.end(1), "secret", 75)


def _told(text: str) -> Iterator[Finding]:
    """Yield passwords that are told, with any signs in them; letters, digits and a sign make them none of language."""
    for match in _TOLD.finditer(text):
        value = match[1].rstrip(".,;)")
        drawn = any(map(str.isalpha, value)) and any(map(str.isdigit, value)) and not value.isalnum()
        known = _WORDY.fullmatch(value.lstrip("[({<$%")) or _KNOWN_FORM.fullmatch(value)
        if drawn and len(set(value)) >= 6 and not known and not _EXPRESSION.match(value) and _chosen(value):
            yield Finding(match.start(1), match.start(1) + len(value), "secret", 74)


def _known_example(word: str) -> bool:
    """Return whether a key is made up for a page of documentation or a test."""
    low = word.lower()
    return "example" in low or "xxxx" in low or len(set(word[-16:])) < 6 or "1234567890" in low or "abcdefgh" in low


def private_keys(passage: Passage) -> Iterator[Finding]:
    """Yield private keys between their lines of dashes (RFC 7468), and those whose end is missing."""
    text = passage.text
    if "-----BEGIN" not in text:
        return
    for match in _PEM.finditer(text):
        if text.find("-----END", match.end(), match.end() + 8_100) < 0:
            continue
        body = _PEM_BODY.match(text, match.end())
        if body is not None and len(re.findall(r"[0-9A-Za-z+/]{40}", body[0])) >= 1:
            yield Finding(match.start(), body.end(), "private_key", 98)


_PARTS: Final = ("pass", "pwd", "secret", "token", "key", "cred", "wort", "contra", "senha", "auth", "bearer", "mot de")

_MANY: Final = 1000  # signs of assignment without such a name before it pays to look through the whole text


def _may_name(text: str, at: int, width: int = 32) -> bool:
    left = text[max(0, at - width) : at].lower()
    return any(map(left.__contains__, _PARTS))


def _chosen(value: str) -> bool:
    """Return whether a value has what rules for passwords ask of people: letters with digits or signs."""
    kinds = (
        any(map(str.islower, value)),
        any(map(str.isupper, value)),
        any(map(str.isdigit, value)),
        any(c in "!@#$%^&*?+~" for c in value),
    )
    return sum(kinds) >= 3 and len(set(value)) >= 6
