"""Some of the most frequent words of common languages, by ISO 639 code: text in the language has at least two."""

from __future__ import annotations

from collections.abc import Mapping

STOP_WORDS: Mapping[str, tuple[str, ...]] = {
    language: tuple(words.split())
    for language, words in {
        "af": "die van en in het is nie wat dat te vir om",
        "ar": "في من على إلى أن عن هذا التي الذي مع هذه ما كان",
        "bg": "на и в да за се от е са че по не с",
        "bn": "এবং ও এই করে থেকে একটি তার না করা হয় জন্য যে",
        "ca": "de la i el a que en els les per del amb",
        "cs": "a v se na je že o s z do i by",
        "cy": "y yr yn a o i ar ei mae am bod ac",
        "da": "og i at det er en den til på som for ikke",
        "de": "der die und in den das zu von mit ist nicht ein",
        "el": "και το να του η της με στο για που από τη",
        "en": "the be to of and that have with",
        "es": "de la que el en y a los del se las por",
        "et": "ja on ei et ka oli see kui mis ta või siis oma ning selle tema kõik",
        "eu": "eta da du ez dira bat den zen baina hau izan dute",
        "fa": "و در به از که این را با است برای آن تا",
        "fi": "ja on ei että se oli hän ovat mutta kun myös joka tai sen jos olla mukaan kuin siitä",
        "fr": "de la le et les des en un du que est à",
        "ga": "an na ar agus a i ag do is le go bhí",
        "gl": "de a o que e do da en os un no as",
        "he": "של את על לא הוא זה עם כי גם היא או אם כל אל יש בין אשר היה אך כדי הם לו אני",
        "hi": "के में की है और से का को पर ने कि यह",
        "hr": "i u je se na da su za od s koji kao",
        "hu": "a az és hogy nem is egy ez meg volt de csak vagy mint ha el minden azt",
        "hy": "և է որ մեջ են այս համար իր նաև այդ մի հետ կամ ու ամեն եւ պետք էր ինչպես բոլոր",
        "id": "yang dan di ini dengan untuk itu dari dalam tidak pada akan",
        "is": "og að í á er sem var til um með en því",
        "it": "di e il la che in a per un del non con",
        "ka": "და რომ ეს არ იყო არის მისი რომელიც კი მაგრამ თუ ის უნდა ან ამ რომლის ყველა შემდეგ როგორც მის",
        "kk": "және бұл мен бар үшін деп осы да де бір ол болып немесе әр өз емес туралы кейін еді",
        "la": "et in est non ad cum ut sed quod qui ex si",
        "lt": "ir kad į yra su iš tai kaip ne bet apie jo ar turi būti visi už nuo prie per jis ji savo o",
        "lv": "un ir ka no ar par kas uz tas bet arī kā vai lai tiek pie viņa nav",
        "mk": "на и во да се од за е со што не го",
        "mr": "आणि आहे या हे ते व तर मध्ये होते नाही असे की किंवा त्या त्याच्या तसेच हा ही करून",
        "ms": "yang dan di ini dengan untuk itu dari dalam tidak pada akan",
        "nb": "og i det er en som til på for at ikke av",
        "ne": "र को छ मा पनि यो एक भने गर्न लागि हो थियो",
        "nl": "de van en het een in is dat te op voor met",
        "nn": "og i det er ein som til på for at ikkje av",
        "no": "og i det er en som til på for at ikke av",
        "oc": "de la e lo que los en las per del amb es",
        "pl": "i w na z do się nie że jest to o jak",
        "pt": "de a o que e do da em um para não os",
        "ro": "de și în la a cu pe care din nu o să",
        "ru": "и в не на что с по как это из к он",
        "sk": "a v na sa je že s o z do aj to",
        "sl": "in je v na da se za so pa z ki ne",
        "sq": "të e në dhe me për një i nga që më është",
        "sr": "и у је да се на i u je da se na",
        "sv": "och i att det som en på är av för med inte",
        "sw": "na ya wa kwa ni katika la za kuwa hii cha kama",
        "tl": "ang ng sa na at mga ay ito hindi para ni si",
        "tr": "ve bir bu için da de ile olarak daha çok gibi olan her o ne en kadar var veya ki ama sonra ya",
        "uk": "і в не на що з та до як це у за",
        "ur": "کے میں کی ہے اور سے کا کو اس کہ پر نے",
        "vi": "và của là có trong cho các được với những không một",
    }.items()
}

UNSPACED_STOP_WORDS: Mapping[str, tuple[str, ...]] = {
    language: tuple(words.split())
    for language, words in {
        "ja": "の に は を た が で て と し",
        "km": "និង នៃ ក្នុង ដែល បាន ជា មាន ការ",
        "lo": "ແລະ ທີ່ ຂອງ ໃນ ເປັນ ມີ ການ ໃຫ້",
        "my": "သည် များ နှင့် တွင် မှ ကို ၏ သော",
        "th": "ที่ และ ของ ใน เป็น มี การ ได้ ให้ ไม่",
        "yue": "的 是 在 有 和 不 嘅 係 咗 唔",
        "zh": "的 是 在 有 和 不 了 人 這 这 為 为 之 於 于",
    }.items()
}
"""In scripts without spaces, where a word is found wherever its characters stand."""
