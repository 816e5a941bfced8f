"""Telephone numbers: international ones by their form, national ones by form, country and the words beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pilotlight.corpus.private.passage import DASHES, GAPS, Finding, Passage, word_set

_SEPARATOR: Final = rf"[{GAPS}{DASHES}.()/]"
_CANDIDATE = re.compile(
    rf"(?<![0-9A-Za-z_@#$€£¥%<&*./\-])(?<![0-9][,:])(?:\+?\(?\+?|\+ )[0-9](?:{_SEPARATOR}{{0,3}}[0-9]){{5,16}}+"
    r"(?:[ ,;]{0,2}(?:x|ext\.?|extension|int\.?)[ .:]?[0-9]{1,6})?(?![0-9A-Za-z_%€£$@]|[.,:][0-9]"
    r"|[/\-](?!(?i:office|fax|mobile|cell|home|work)\b)[0-9A-Za-z])"
)
_EXTENSION = re.compile(r"[ ,;]*(?:x|ext\.?|extension|int\.?)[ .:]?[0-9]{1,6}$")
_GROUPS = re.compile("[0-9]+")
_AMERICAN = re.compile(
    r"(?:(?:\+|00)?1[ .-]?)?(?:\([0-9]{3}\)[ ]?[0-9]{3}[ .-]?[0-9]{4}"
    r"|([0-9]{3})([.\- \u2010\u2011\u2013])[0-9]{3}\2[0-9]{4})"
)
_AMERICAN_INSIDE = re.compile(rf"(?<![0-9.\-/])(?:{_AMERICAN.pattern})(?![0-9]|[.\-/][0-9])")
_DATE = re.compile(
    r"(?:1[6-9]|20)[0-9]{2}([-/. ])[01]?[0-9]\1[0-3]?[0-9](?: [0-9]{1,2})?"
    r"|[0-3]?[0-9]([-/. ])[0-3]?[0-9]\2(?:[12][0-9]{3}|[0-9]{2})"
    r"(?: [0-9]{1,2})?|\(?(?:1[0-9]|20)[0-9]{2}\)? ?[-/\u2013.,]? ?(?:1[0-9]|20)?[0-9]{2}|(?:1[89]"
    r"|20)[0-9]{6}(?:[0-9]{4}|[0-9]{6})?"
    r"|(?:(?:1[5-9]|20)[0-9]{2}(?: ?[-/\u2013] ?| )){1,8}(?:1[5-9]|20)[0-9]{2}"
)
_FORMULA = re.compile(
    r" [-\u2010-\u2013] ?[0-9]{1,2}\.|[0-9]\.[0-9]{1,6} [-\u2013]|[ \u00a0][\u2013/] |^\+ [0-9]\.|/.*/"
    r"|^\+?[0-9]+\.[0-9]+$|\.\.|--"
)
_CODE_POINTS = re.compile(r"0[0-9]{3}(?: 0[0-9]{3})+")  # of Unicode
_DOTTED = re.compile(r"0[0-9](?:\.[0-9]{2}){3,4}")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:([ \u00a0\u2009\u202f.])[0-9]{3})(?:\1[0-9]{3})*")
# Beside a number: what it is for, in the languages that the rules know.
_WORDS: Final = word_set(
    "phone phones telephone telephones phonenumber tel tels telf telef teléf tfno tlf tlfn ph fax faxes telefax "
    "mobile mobil móvil mòbil movil móviles "
    "cell cellphone cellular celular celulares cellulare portable handy handynummer mobilnummer rufnummer "
    "telefonnummer call calls called calling "
    "dial dialed dialled dialing hotline helpline whatsapp sms telefon telefono teléfono teléfonos telefonos "
    "telèfon telèfons teléfon téléphone "
    "telefone telefones telefoon telefoonnummer telefonnr telefoni telefonisch telefonische llamar llame llama "
    "llamen llamando llamada llámenos llámame truca trucar truqui "
    "truqueu appeler appelez anruf anrufen chiamare chiamate chiama ligar ligue bel bellen telemóvel telemovel "
    "pager voicemail erreichbar rückruf durchwahl telefonisch komórki téléphoner téléphonez telefonate telefonare "
    "telefonnummeret telefonummer tlfnr telefonszám telefonszáma telefonszámom telefonszámunk telefonul "
    "appelle rappelez joignable chiamami chiamaci chiamarmi chiamarci telefonami chiamarlo "
    "puhelinnumero puhelinnumeroni puhelinnumeronsa puhelinnumeromme mobilos telepon telp "
    "viber telegram puhelin puh numer komórka komórkowy 电话 電話 手机 手機 тел телефон τηλ τηλέφωνο هاتف تلفن טלפון फ़ोन फोन"
)
# Words that also mean other things count only close to the number.
_LOOSE: Final = word_set(
    "mobile mobil móvil mòbil movil móviles cell portable handy bel numer ph call calls called calling ligue dial "
    "appelle rappelez joignable"
)
_FIRM: Final = _WORDS - _LOOSE
_NOUNS: Final = frozenset(
    word
    for word in _WORDS
    if word.startswith(("tel", "tél", "fono", "phone", "tlf", "fax", "rufn", "mobil", "móv", "mòb"))
)
_LAST_WORD: Final = re.compile(r"([^\W\d_]+)[ .:#]{1,4}$")
_PHRASES: Final = tuple(
    f" {words} "
    for words in (
        "contact number",
        "contact me",
        "contact us",
        "contact him",
        "contact her",
        "contact them",
        "contact details",
        "contact no",
        "contact us at",
        "contact me at",
        "contact him at",
        "contact her at",
        "contact them at",
        "contact at",
        "contact us on",
        "reach me",
        "reach us",
        "reach him",
        "reach her",
        "reach them",
        "reach you",
        "reached at",
        "reached on",
        "reachable at",
        "text me",
        "text us",
        "text him",
        "text her",
        "text them",
        "answering at",
        "answer at",
        "toll free",
        "direct line",
        "my number",
        "his number",
        "her number",
        "your number",
        "our number",
        "their number",
        "new number",
        "registered number",
        "my registered",
        "message to",
        "messages to",
        "message from",
        "message on",
        "messages from",
        "messages on",
        "ring me",
        "ring us",
        "número de contacto",
        "numero de contacto",
        "mi número",
        "mi numero",
        "ma ligne",
        "my line",
        "rufen sie an",
        "rufen sie uns an",
        "rufen sie mich an",
        "ruf an",
        "ruf mich an",
        "ruft an",
        "rufen an",
        "unter der nummer",
        "unter der rufnummer",
        "rufen sie mich unter",
        "rufen sie uns unter",
        "số điện thoại",
        "điện thoại",
    )
)
# The label of a field, directly before the number.
_LABELS: Final = word_set(
    "work home office desk main direct business emergency day daytime evening switchboard contact number m t p f"
)
# Words of scripts without blanks or with vowel signs, and stems that take endings: looked for inside words.
_GLUED: Final = re.compile(
    "电话|電話|手机|手機|热线|熱線|传真|傳真|联系方式|聯絡|携帯|连絡先|連絡先|전화|연락처|휴대폰|핸드폰|팩스|โทร|มือถือ|फ़ोन|फोन|फ\u093cोन|मोबाइल"
    "|दूरभाष|कॉल कर|телефон|звони|моб\\.|тел\\.|факс|هاتف|جوال|موبايل|טלפון|נייד|τηλέφων|τηλ\\."
)
_COUNTED: Final = re.compile(r"\s?[元円圆圓块塊万萬億亿원만명개台个個人名年次件枚]")
_LABEL_GAP: Final = re.compile(r"(?:[:#.)\]=|>\-][ \t|>*_]{0,3}|[☎📞📱✆℡]\ufe0f?\W{0,2})$")
_LABEL_AFTER = re.compile(
    r" is (?:my|his|her|our|their|the|your) (?:phone|mobile|cell|contact|number|telephone|fax)\b|"
    r"[\s(\[,-]{0,3}(?:fax|mobile|m[oó]vil|cell|office|home|work|desk|phone|\(m\)|\(h\)|\(w\)|\(o\)|voice|tel"
    r"|extension|ext)\b"
)
# What a number is instead, in one of the last words before it.
_OTHER: Final = word_set(
    "isbn issn doi pmid pmc arxiv order orders invoice id ids serial version ticket case account acct patent ssn "
    "lat latitude long longitude pin tracking "
    "vat iban sku ruc dni port passport license licence card zip n nº nos decreto ley resolución resolucion "
    "expediente ordenanza acuerdo artículo "
    "nip regon krs siret siren rcs rg инн кпп огрн бик снилс паспорт room page pages pp "
    "proveído oficio sin nhs nif cpf rut bsn tfn ean upc gtin asin bug issue rfc pep bpo iso eur usd"
)
_LETTERS: Final = re.compile(r"[^\W\d]+")  # an identifier is one word


def phones(passage: Passage) -> Iterator[Finding]:
    """Yield telephone numbers; in doubt the words beside decide, then the numbering plan of an expected country."""
    text = passage.text
    for first, last in passage.numbers:
        if passage.apart(first, last):
            continue
        at = max(0, first - 3)
        end = min(len(text), last + 16)
        while (match := _CANDIDATE.search(text, at, end)) is not None and match.start() < last:
            found = _judged(passage, match)
            if found is not None:
                yield found
            else:
                yield from _inside(passage, match.start(), match.end())
            at = match.end()


def _inside(passage: Passage, start: int, end: int) -> Iterator[Finding]:
    """Yield numbers in the form of North America that stand among other numbers."""
    for match in _AMERICAN_INSIDE.finditer(passage.text, start, end):
        digits = "".join(_GROUPS.findall(match[0]))
        words = _words(passage.before(match.start(), 32))[-2:]
        if _plausible(match[0], match, digits) and _OTHER.isdisjoint(words):
            yield Finding(match.start(), match.end(), "phone", 62)


def _words(before: str) -> list[str]:
    """Return the words of a text; an identifier is one word, emphasis in Markdown is none of it."""
    words = _LETTERS.findall(before)
    return [word.strip("_") for word in words] if "_" in before else words


def _judged(passage: Passage, match: re.Match[str]) -> Finding | None:
    words = match[0]
    extension = _EXTENSION.search(words)
    number = words[: extension.start()] if extension else words
    if number.count("(") != number.count(")"):
        if number[0] != "(" or ")" in number:
            return None
        number = number[1:]
        return None if len(number) < 7 else _graded(passage, match, number, extension is not None)
    return _graded(passage, match, number, extension is not None)


def _graded(passage: Passage, match: re.Match[str], number: str, extended: bool) -> Finding | None:
    groups = _GROUPS.findall(number)
    digits = "".join(groups)
    if not 6 <= len(digits) <= 15 + extended or len(set(digits)) < 3:
        return None
    strength = _strength(passage, match, (number, groups, digits), extended)
    if not strength:
        return None
    start = match.end() - len(match[0])
    start += match[0].startswith("(") and not number.startswith("(")
    return Finding(start, match.end(), "phone", strength)


def _strength(passage: Passage, match: re.Match[str], read: tuple[str, list[str], str], extended: bool) -> int:
    """Return how sure it is that the number is a telephone's, 0 if it is not taken for one."""
    number, groups, digits = read
    if _FORMULA.search(number):
        return 0
    before = passage.before(match.start(), 48)
    if number[0] == "+" or number.startswith("(+"):
        sure = not number.startswith("+ ") and _possible("+" + digits)
        return 66 if sure or _beside(passage, match, before) else 0
    if len(digits) == 6:
        short = _labelled(before) or _LABEL_AFTER.match(passage.after(match.end(), 24)) is not None
        return 55 if short and len(groups) < 4 and max(map(len, groups)) < 7 and not _DATE.fullmatch(number) else 0
    american = _AMERICAN.fullmatch(number)
    if american is None and _DATE.fullmatch(number):
        return 0
    words = _words(before)
    if not _OTHER.isdisjoint(words[-2:]) and _WORDS.isdisjoint(words[-4:]):
        return 0
    if american is not None and (extended or _plausible(number, american, digits)):
        return 64
    if _beside(passage, match, before):
        spread = len(groups) <= 6 and (len(groups) == 1 or max(map(len, groups)) >= 2) and len(digits) <= 14
        return 60 if spread and not (_THOUSANDS.fullmatch(number) and _counted(passage, match)) else 0
    if _THOUSANDS.fullmatch(number):
        return 0
    if number.startswith("00") and len(groups) > 1 and len(digits) > 9 and _possible("+" + digits[2:]):
        return 0 if _CODE_POINTS.fullmatch(number) else 58
    return 56 if _national(number, groups, passage.regions) else 0


def _labelled(before: str) -> bool:
    """Return whether the last word is the label of a telephone number, not a verb, with a sign or blank behind it."""
    match = _LAST_WORD.search(before)
    return match is not None and match[1] in _NOUNS


def _plausible(number: str, match: re.Match[str], digits: str) -> bool:
    """Return whether a number in the form of North America stands for itself: by its dashes, or its area code."""
    local = digits[-10:]
    valid = local[0] not in "01" and local[3] not in "01"  # no area code and no exchange begins so
    return valid and match[2] != " "


def _counted(passage: Passage, match: re.Match[str]) -> bool:
    """Return whether a word that is counted follows, as in 1 200 000 habitants; telephones end a phrase more often."""
    after = passage.after(match.end(), 20)
    return (
        re.match(
            r"\s(?:people|persons|habitants?|users|customers|euros?|dollars|times|units|km|kg|m|million|de)\b", after
        )
        is not None
    )


def _beside(passage: Passage, match: re.Match[str], before: str) -> bool:
    """Return whether the words around say that a telephone number stands here."""
    near = before.rpartition("\n\n")[2]
    if not near.isascii() and _GLUED.search(near[-24:]) and not _COUNTED.match(passage.after(match.end(), 4)):
        return True
    words = _words(near)
    if words:
        if not _FIRM.isdisjoint(words) or not _LOOSE.isdisjoint(_words(before[-18:])):
            return True
        if words[-1] in _LABELS and (gap := _LABEL_GAP.search(before)) and (len(words[-1]) > 1 or gap[0][0] == ":"):
            return True
        joined = f" {' '.join(words)} "
        if any(phrase in joined for phrase in _PHRASES):
            return True
    return _LABEL_AFTER.match(passage.after(match.end(), 24)) is not None


def _possible(number: str) -> bool:
    """Return whether the length is one of its country's."""
    import phonenumbers

    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def _national(number: str, groups: list[str], regions: frozenset[str]) -> bool:
    """Return whether a number written in groups is valid in one of the countries."""
    if (
        not regions
        or (len(groups) < 3 and number[0] != "(")
        or len(groups) > 6
        or max(map(len, groups)) < 2
        or (min(map(len, groups)) < 2 and number[0] != "(")
    ):
        return False
    if ("." in number and not _DOTTED.fullmatch(number)) or not (number[0] in "0(" or len(groups) >= 4):
        return False
    import phonenumbers

    for region in sorted(regions):
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            return False
    return False
