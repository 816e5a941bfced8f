"""Which language a text is in, and which texts an allow list drops."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pilotlight.corpus.filters.language import Language
from pilotlight.corpus.languages.codes import language_code, language_name
from pilotlight.corpus.languages.identify import identify, sample
from pilotlight.corpus.view import View

SENTENCES = {
    "en": "The bus leaves at seven from the stop behind the library, and it is usually late.",
    "es": "El autobús sale a las siete de la parada que está detrás de la biblioteca.",
    "fr": "L'autobus part à sept heures de l'arrêt qui est derrière la bibliothèque.",
    "ca": "L'autobús surt a les set de la parada que hi ha darrere de la biblioteca.",
    "de": "Der Bus fährt um sieben Uhr von der Haltestelle hinter der Bibliothek ab.",
    "pt": "O ônibus sai às sete horas do ponto que fica atrás da biblioteca e não espera.",
    "it": "L'autobus parte alle sette dalla fermata che si trova dietro la biblioteca.",
    "ru": "Автобус отправляется в семь часов от остановки, которая находится за библиотекой.",
    "uk": "Автобус відправляється о сьомій годині від зупинки, що знаходиться за бібліотекою.",
    "el": "Το λεωφορείο φεύγει στις επτά από τη στάση πίσω από τη βιβλιοθήκη.",
    "he": "האוטובוס יוצא בשבע מהתחנה שמאחורי הספרייה.",
    "ar": "تغادر الحافلة في الساعة السابعة من الموقف الذي يقع خلف المكتبة.",
    "hi": "बस सात बजे पुस्तकालय के पीछे वाले स्टॉप से निकलती है।",
    "ja": "バスは七時に図書館の裏の停留所から出ます。",
    "zh": "公共汽车七点从图书馆后面的车站出发。",
    "ko": "버스는 일곱 시에 도서관 뒤 정류장에서 출발합니다.",
    "th": "รถเมล์ออกเจ็ดโมงจากป้ายหลังห้องสมุด",
    "ka": "ავტობუსი შვიდ საათზე გადის ბიბლიოთეკის უკან მდებარე გაჩერებიდან.",
    "chr": "ᎣᏏᏲ ᏂᎦᏓ ᎠᏂᏴᏫ",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_told_by_its_language(code):
    found, confidence = identify(SENTENCES[code])
    assert found == code
    assert 0.3 < confidence <= 1


@pytest.mark.parametrize("code", ["en", "es", "ca", "ru"])
def test_capitals_links_and_numbers_do_not_change_the_language(code):
    dirty = f"https://example.org/a/b?c=d 2024-01-02\n** {SENTENCES[code].upper()} **\n<a href='x'>1 234</a>"
    assert identify(dirty)[0] == code


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ko", "kim@naver.com입니다"),
        ("ja", "ご連絡はtaro.yamada@yahoo.co.jpまで"),
        ("ja", "電話は090-1234-5678"),
        ("zh", "请联系我,邮箱zhang.wei@163.com"),
        ("zh", "详见https://www.example.com/a?b=c。"),
        ("zh", "电话是13800138000"),
        ("th", "ติดต่อsomchai@mail.co.thครับ"),
    ],
)
def test_a_link_or_an_address_leaves_the_words_that_touch_it(code, text):
    assert identify(text)[0] == code


def test_a_long_text_is_looked_at_in_windows_and_not_only_at_its_beginning():
    text = "Home | About | Contact\n" + (SENTENCES["ca"] + "\n") * 400
    assert identify(text)[0] == "ca"
    assert len(sample(text)) < 400


@pytest.mark.parametrize("text", ["", " \n", "12 + 34 = 46", "🙂🙂", "\ud800", "........"])
def test_a_text_without_letters_is_in_no_language(text):
    assert identify(text) == ("und", 0.0)


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(codec=None), max_size=500))
def test_any_text_has_a_language_and_a_finite_confidence(text):
    language, confidence = identify(text)
    assert language
    assert 0 <= confidence <= 1
    assert identify(text) == (language, confidence)


def test_codes_of_three_letters_and_members_of_macrolanguages_become_one():
    assert [language_code(code) for code in ("eng", "cmn", "arb", "nob", "en-GB", "zsm", "xyz")] == [
        "en", "zh", "ar", "no", "en", "ms", "xyz",
    ]  # fmt: skip
    assert language_name("cat") == "Catalan"


def test_without_a_list_the_filter_only_notes_the_language():
    part = Language()
    assert part.only_annotate
    assert part.measure(View(SENTENCES["ca"]))["language"] == "ca"


def test_an_allow_list_drops_other_languages_without_further_settings():
    part = Language(allow=("eng", "French"))
    assert not part.only_annotate
    assert part.judge(SENTENCES["en"]) is None
    assert part.judge(SENTENCES["fr"]) is None
    assert part.judge(SENTENCES["ru"]).startswith("other language: ru")


def test_a_source_with_a_list_of_its_own_does_not_follow_the_common_one():
    part = Language(allow=("en",), sources={"butlleti": ("ca", "es")})
    assert part.judge(SENTENCES["ca"], "butlleti") is None
    assert part.judge(SENTENCES["en"], "butlleti").startswith("other language: en")
    assert part.judge(SENTENCES["ca"], "web").startswith("other language: ca")


def test_thresholds_are_tried_on_what_was_measured():
    values = {"language": "en", "confidence": 0.4}
    assert Language(allow=("en",)).reason_to_drop(values) is None
    assert Language(allow=("en",), least=0.5).reason_to_drop(values).startswith("uncertain language")


def test_an_unknown_code_is_refused_with_the_nearest_name():
    with pytest.raises(ValidationError, match="Did you mean 'catalan'"):
        Language(allow=("Catalann",))


def test_nothing_is_downloaded(monkeypatch):
    import socket

    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    from pilotlight.corpus.languages import identify as module

    module._model.cache_clear()
    assert identify("Onibus atrasado outra vez, nada de novo por aqui")[0]
