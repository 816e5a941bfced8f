"""Electronic addresses: mail, network, hardware, user and password in a URL, accounts on social media."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pilotlight.corpus.private import signs
from pilotlight.corpus.private.domains import DOMAIN, FOREIGN_DOMAIN, LATIN
from pilotlight.corpus.private.passage import Finding, Passage, word_set

_AT = re.compile(r"@(?<=[\w+\-'}~$]@)(?=[^\W_])")
_LOCAL: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.!#$%&'*+/=?^_`{|}~-"
_MARKED_LOCAL: Final = _LOCAL + LATIN  # anything of another script belongs to the sentence around it
_EDGE: Final = ".!#$%&'*/=?^`{|}~-"  # never begins an address in running text, though RFC 5322 allows most of it
_GENERIC: Final = word_set(
    "com org net edu gov mil int info biz name pro mobi aero coop museum jobs travel cat tel asia post app dev page "
    "blog "
    "shop store online site website web tech space cloud digital agency email media news press live life world today "
    "club group company business solutions services systems network technology software consulting design studio "
    "academy education school university institute college science center foundation community social team work works "
    "xyz top icu vip win bid loan one link click wiki art photo photography video audio music film games game fun love "
    "health care clinic dental doctor hospital pharmacy fitness sport bank finance financial money capital insurance "
    "legal law lawyer attorney tax accountants estate realty house homes build construction energy green earth farm "
    "food cafe bar restaurant pizza wine beer coffee kitchen city town africa berlin london paris nyc tokyo amsterdam "
    "madrid barcelona gal eus quebec wien koeln hamburg bayern swiss scot wales irish moscow rio miami vegas boston "
    "international global plus expert guru ninja rocks zone directory support help tools host hosting domains codes "
    "computer engineering industries enterprises holdings ventures partners associates marketing events tours travel "
    "holiday vacations flights hotel hotels properties rentals villas garden fashion clothing shoes jewelry beauty "
    "hair "
    "toys baby kids pet dog horse bike car cars auto taxi parts supply supplies equipment market markets trade trading "
    "sale deals discount cheap gifts cash credit exchange fund gold ngo ong church faith bible charity gives vote "
    "democrat republican ceo chat dating date family guide how ink inc llc ltd gmbh srl limited review reviews run "
    "show "
    "style surf tips watch wtf win zip local lan internal intranet corp home localhost test example invalid"
)
_ESCAPED = re.compile("(?:%[0-9A-Fa-f]{2})+")
_CALLED = re.compile(r"[({]|\.[A-Za-z_]\w*\s*[(\[=]|\[")
_OBFUSCATED = re.compile(
    r"[(\[{<][ \t]?(?:at|AT|At|arroba|chez)[ \t]?[)\]}>]\s{0,2}"
    r"([A-Za-z0-9-]{1,63}(?:(?:\s{0,2}[(\[{<][ \t]?(?:dot|DOT|Dot|punto|punt|point|punkt)[ \t]?[)\]}>]\s{0,2}"
    r"|[ \t](?:dot|DOT)[ \t]|\.)[A-Za-z0-9-]{1,63}){1,5})"
)
_BRACKETED: Final = ("at)", "at]", "AT)", "AT]", "arroba")
_OBFUSCATED_LOCAL = re.compile(
    r"[A-Za-z0-9_+-]{1,40}(?:(?:\.|\s?[(\[](?:dot|punto|point)[)\]]\s?| dot )[\w+-]{1,40}){0,3}$"
)
_USER = re.compile(r"://([^\s/:@<>\"'`\\]{1,128}):([^\s/@<>\"'`\\]{1,256})@(?=[\w\[{$%<.-])")
_UNSET = re.compile(
    r"(?i)(?:(?:my|your|the|some|db|test)[-_]?)?(?:user|username|password|passw?d?|pwd|pass|secret|token|name|login)\d?"
    r"|x+|\*+|\.+|[-_]+|foo|bar|baz|user|.*[${}%\[\]<>*].*|\W+"
)
_FOUR = re.compile(
    r"(?<![0-9A-Za-z_.+-])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
    r"(?![0-9A-Za-z_-]|\.[0-9])"
)
_VERSION = re.compile(
    r"(?:\bv(?:ers(?:i[oó]n?e?|ão)?)?|\br(?:elease|ev(?:ision)?)|\bbuild|firmware|driver|update[sd]?"
    r"|upgrade[sd]?(?: to)?|patch"
    r"|section|secci[oó]n?|chapter|rule|table|figure|fig|article|art[ií]culo|appendix|clause|paragraph|oid|§+|==|>="
    r"|<=|~="
    r"|chrome/|safari/|version/|-)[\s.:=\"'(]{0,3}$"
)
_NETWORK = re.compile(
    r"\bip(?:v4|v6)?\b|\baddr|address|\bhost|server|client|remote|\bdns\b|ping|from\b|router|gateway|://$|@$|login"
    r"|direcci|adresse|地址|主机|服务器|アドレス|サーバ|адрес|сервер|주소|서버"
)
_COLONS = re.compile(r":(?<!::)[0-9A-Fa-f]{0,4}:(?!:)")
_HEX: Final = "0123456789abcdefABCDEF"
_SIX = re.compile(r"[0-9A-Fa-f:]{2,39}(?:(?<=:)(?:[0-9]{1,3}\.){3}[0-9]{1,3})?(?![0-9A-Za-z_:])")
_MAC = re.compile(r"(?<![0-9A-Za-z_:.-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Za-z_:-])")
_WORDLIKE = re.compile("[0-9A-Za-z_.:]")
_DASHED = re.compile(r"-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-")
_HANDLE = re.compile(r"@(?<![\w@/.]@)[A-Za-z_][\w]{2,29}(?![\w@(]|\.[A-Za-z])")


def mail(passage: Passage) -> Iterator[Finding]:
    """Yield mail addresses: what stands left and right of an ``@`` can be one (RFC 5321 lengths, a real ending)."""
    text = passage.text
    for at in _AT.finditer(text):
        domain = DOMAIN.match(text, at.end())
        if domain is None and not text[at.end() : at.end() + 64].isascii():
            domain = FOREIGN_DOMAIN.match(text, at.end())
        if domain is None:
            continue
        left = text[max(0, at.start() - 64) : at.start()]
        local = left[len(left.rstrip(_LOCAL)) :]
        if local != left and not left[len(left) - len(local) - 1].isascii():
            local = left[len(left.rstrip(_MARKED_LOCAL)) :]
        local = _trimmed(local)
        if not local or ".." in local:
            continue
        start = at.start() - len(local)
        ending = domain[1].lower() if domain.lastindex else ""
        if (
            len(ending) > 2
            and ending not in _GENERIC
            and not ending.startswith("xn--")
            and not _addressed(passage, start)
        ):
            continue
        after = text[domain.end() : domain.end() + 24]
        if (_CALLED.match(after) and not after.startswith("[")) or (after.startswith(":") and local == "git"):
            continue
        if text[max(0, start - 3) : start] == "://" and ":" not in local and "/" in after[:1]:
            continue  # user@host of a URL without a password
        yield Finding(start, domain.end(), "email", 80)


def _trimmed(local: str) -> str:
    """Return the local part without what running text or a URL puts before it."""
    for mark in ("/", "=", "{", "|", "'", "`", "?", "&", "$"):
        local = local.rpartition(mark)[2] if mark != "'" or local.count(mark) != 1 or local[0] == mark else local
    escaped = _ESCAPED.match(local)
    return local[escaped.end() :] if escaped else local.lstrip(_EDGE)


def _addressed(passage: Passage, start: int) -> bool:
    before = passage.before(start, 24)
    return any(word in before for word in ("mail", "correo", "courriel", "почт", "邮", "郵", "メール", "메일"))


def hidden_mail(passage: Passage) -> Iterator[Finding]:
    """Yield mail addresses with a bracketed ``(at)`` for the sign, such as ``name (at) domain dot org``."""
    text = passage.text
    if not any(mark in text for mark in _BRACKETED):
        return
    for at in _OBFUSCATED.finditer(text):
        left = text[max(0, at.start() - 60) : at.start()]
        bare = left.rstrip()
        local = _OBFUSCATED_LOCAL.search(bare) if len(left) - len(bare) <= 2 else None
        ending = re.split(r"[\s.()\[\]{}<>]+", at[1])[-1].lower()
        if local is not None and (ending in _GENERIC or (len(ending) == 2 and ending.isalpha())):
            yield Finding(at.start() - len(left) + local.start(), at.end(), "email_hidden", 78)


def credentials(passage: Passage) -> Iterator[Finding]:
    """Yield ``user:password`` in a URL or connection string, but for names that stand for them."""
    for match in _USER.finditer(passage.text):
        if not _UNSET.fullmatch(match[2]):
            yield Finding(match.start(1), match.end(2), "url_credentials", 90)


def _special(parts: list[int]) -> bool:
    """Return whether an IPv4 address belongs to no host of the open network (IANA special-purpose registry)."""
    first, second, third = parts[0], parts[1], parts[2]
    return (
        first in (0, 10, 127) or first >= 224 or (first, second) in ((169, 254), (192, 168))
        or (first == 172 and 16 <= second < 32) or (first == 100 and 64 <= second < 128) or (first == 198 and second in (18, 19))
        or (first, second, third) in ((192, 0, 0), (192, 0, 2), (198, 51, 100), (203, 0, 113))
    )  # fmt: skip


def network(passage: Passage) -> Iterator[Finding]:
    """Yield IPv4 addresses; those of no open host as ``local_ip``, and nothing that reads like a version number."""
    text = passage.text
    for first, last in passage.numbers:
        if text.count(".", first, last) < 3:
            continue
        for match in _FOUR.finditer(text, first, min(last + 4, len(text))):
            found = finding_of_four(passage, match)
            if found is not None:
                yield found


def finding_of_four(passage: Passage, match: re.Match[str]) -> Finding | None:
    """Return what four numbers with dots between them are, None if they are a version or the number of a section."""
    parts = [int(part) for part in match[0].split(".")]
    before = passage.before(match.start(), 32)
    if _VERSION.search(before) or any(len(p) > 1 and p[0] == "0" for p in match[0].split(".")):
        return None
    if (max(parts) < 64 or (parts[3] == 0 and parts[0] < 200)) and not _NETWORK.search(before):
        return None
    kind = "local_ip" if _special(parts) else "ip_address"
    return Finding(match.start(), match.end(), kind, 70)


def colons(passage: Passage) -> Iterator[Finding]:
    """Yield IPv6 and hardware addresses (MAC)."""
    text, done = passage.text, 0
    for match in _COLONS.finditer(text) if passage.signs & signs.COLON else ():
        if match.start() < done:
            continue
        left = text[max(done, match.start() - 39) : match.start()]
        start = match.start() - (len(left) - len(left.rstrip(_HEX + ":")))
        hardware = _MAC.match(text, start)
        if hardware is not None:
            done = hardware.end()
            if len(set(hardware[0].lower()) - {":"}) > 2:
                yield Finding(start, done, "mac_address", 72)
            continue
        address = _SIX.match(text, start)
        if address is not None and (start == 0 or not _WORDLIKE.match(text, start - 1)):
            done = address.end()
            word = address[0] if address[0].endswith("::") else address[0].rstrip(":")
            found = _six(word)
            if found is not None:
                yield Finding(start, start + len(word), found, 72)
    for match in _DASHED.finditer(text) if passage.signs & signs.DASH else ():
        hardware = _MAC.search(text, max(0, match.start() - 2), match.end() + 8)
        if hardware is not None:
            yield Finding(hardware.start(), hardware.end(), "mac_address", 72)


def _six(word: str) -> str | None:
    """Return the kind of an IPv6 address, None if it is none; ``ipaddress`` knows the special ranges."""
    groups = [group for group in word.split(":") if group]
    if len(groups) < 3 or (not any(len(group) >= 3 for group in groups) and len(groups) < 8):
        return None
    if not any(map(str.isdigit, word)):
        return None
    from ipaddress import AddressValueError, IPv6Address

    try:
        address = IPv6Address(word)
    except (AddressValueError, ValueError):
        return None
    documented = word.lower().startswith(("2001:db8", "2001:0db8"))
    special = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    return "local_ip" if documented or special else "ip_address"


def handles(passage: Passage) -> Iterator[Finding]:
    """Yield names of accounts such as ``@name``."""
    for match in _HANDLE.finditer(passage.text):
        yield Finding(match.start(), match.end(), "handle", 20)
