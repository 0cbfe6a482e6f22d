import type { Block } from './case.ts';

/** Languages in other scripts, with spaces between words. */
export const world: Block[] = [
  {
    of: 'Greek',
    after: 'Lucene: GreekLowerCaseFilter; Unicode: CaseFolding.txt',
    texts: [
      {
        text: 'Ο ΟΔΟΣ της Αθήνας, προϊστάμενος',
        found: ['οδος', 'οδοσ', 'ΟΔΟΣ', 'αθήνας', 'ΑΘΉΝΑΣ', 'προϊστάμενος'],
        accents: ['αθηνας', 'ΑΘΗΝΑΣ', 'προισταμενος', 'όδος'],
      },
      { text: 'οδός· «Μηχανικός»;', found: ['οδός', 'μηχανικός', 'ΟΔΌΣ'], accents: ['ΟΔΟΣ', 'μηχανικος'] },
    ],
  },
  {
    of: 'Russian',
    after: 'Elasticsearch: icu_folding and its exceptions; Meilisearch: Charabia, Cyrillic',
    texts: [
      {
        text: 'Ищем ёлки и водителей (Москва)',
        found: ['ёлки', 'ЁЛКИ', 'водителей', 'москва'],
        accents: ['елки', 'Москва\u0301'],
        missed: ['водителеи', 'ищу'],
      },
      {
        text: 'Бухгалтер-экономист, по-русски',
        found: ['экономист', 'бухгалтер-экономист', 'порусски', 'по-русски'],
      },
      { text: 'мой город', found: ['мой', 'мои\u0306'], missed: ['мои'] },
    ],
  },
  {
    of: 'Ukrainian',
    after: 'Lucene: UkrainianMorfologikAnalyzer and its apostrophes',
    texts: [
      {
        text: 'П’ять вакансій у Києві, ґанок, їжак',
        found: ["п'ять", 'п’ять', 'пʼять', 'пять', 'києві', 'вакансій', 'ґанок'],
        accents: ['ганок', 'іжак'],
        missed: ['киеві', 'вакансіи'],
      },
    ],
  },
  {
    of: 'Belarusian',
    after: 'Unicode: decomposition of Ў',
    texts: [
      { text: 'Працаўнік ў Мінску', found: ['працаўнік', 'ПРАЦАЎНІК', 'мінску'], missed: ['працаунік'] },
    ],
  },
  {
    of: 'Bulgarian',
    after: 'Lucene: StandardTokenizer',
    texts: [
      {
        text: 'Учител по английски, „София“',
        found: ['софия', 'УЧИТЕЛ', 'английски'],
        accents: ['учи\u0301тел'],
      },
    ],
  },
  {
    of: 'Serbian',
    after: 'Lucene: SerbianNormalizationFilter, which keeps Cyrillic letters here',
    texts: [{ text: 'Програмер у Београду, џеп', found: ['београду', 'џеп'], missed: ['beogradu'] }],
  },
  {
    of: 'Kazakh',
    after: 'Unicode: CaseFolding.txt',
    texts: [{ text: 'Қазақстанда жұмыс', found: ['қазақстанда', 'ЖҰМЫС'], missed: ['жумыс'] }],
  },
  {
    of: 'Arabic',
    after: 'Lucene: ArabicNormalizationFilter; Elasticsearch: arabic_normalization',
    texts: [
      {
        text: 'مُهَنْدِس في الإسكندرية، مدرســـة؟',
        found: ['في', 'الإسكندرية', 'مُهَنْدِس'],
        accents: ['مهندس', 'الاسكندرية', 'الاسكندريه', 'مدرسة', 'مدرسه'],
      },
      {
        text: 'مهندس أول في القاهرة',
        found: ['مهندس', 'أول', '"مهندس أول"', 'القاهرة'],
        accents: ['اول', 'مُهندس', 'القاهره', 'إول'],
        missed: ['مهند'],
      },
      { text: 'عدد ٢٠٢٦', found: ['٢٠٢٦', 'عدد'], accents: ['2026'] },
      { text: 'مستشفى ﻻ', found: ['مستشفى', 'لا'], accents: ['مستشفي'] },
    ],
  },
  {
    of: 'Persian',
    after: 'Lucene: PersianCharFilter, PersianNormalizationFilter',
    texts: [
      {
        text: 'می‌خواهم در تهران کار کنم',
        found: ['می‌خواهم', 'میخواهم', 'می خواهم', 'خواهم', 'تهران', 'کار'],
        accents: ['كار', 'مي‌خواهم'],
      },
      { text: 'كتاب‌هاي', found: ['كتاب', 'كتاب‌هاي'], accents: ['کتاب', 'کتابهای', 'کتاب‌های'] },
      { text: 'سال ۱۴۰۵', found: ['۱۴۰۵'], accents: ['1405', '١٤٠٥'] },
    ],
  },
  {
    of: 'Urdu',
    after: 'Lucene: PersianNormalizationFilter',
    texts: [{ text: 'لاہور میں نوکری۔', found: ['نوکری', 'لاہور'], accents: ['نوكري', 'لاهور'] }],
  },
  {
    of: 'Hebrew',
    after: 'ICU: folding; Unicode: geresh and gershayim',
    texts: [
      {
        text: 'דרוש מהנדס בתל־אביב, שָׁלוֹם',
        found: ['מהנדס', 'בתל־אביב', 'אביב', 'בתל-אביב', 'שָׁלוֹם'],
        accents: ['שלום'],
        missed: ['מהנד'],
      },
      { text: 'שירות בצה"ל', found: ['בצה"ל', 'בצה״ל', 'בצהל', '"שירות בצה״ל"'] },
      { text: 'ג׳ירפה', found: ["ג'ירפה", 'ג׳ירפה', 'גירפה'] },
    ],
  },
  {
    of: 'Hindi',
    after: 'Lucene: IndicNormalizationFilter, HindiNormalizationFilter; Elasticsearch: decimal_digit',
    texts: [
      {
        text: 'हमें दिल्ली में अभियंता चाहिए।',
        found: ['दिल्ली', 'अभियंता', 'चाहिए', '"दिल्ली में"'],
        missed: ['दल्ली', 'दिल', 'अभियता'],
      },
      { text: '१-one two-२ ३', found: ['१', 'two', '३'], accents: ['2', '3', 'two-2'] },
      { text: 'क़लम ज़रूर', found: ['क\u093cलम', 'ज\u093cरूर'], missed: ['कलम'] },
    ],
  },
  {
    of: 'Marathi',
    after: 'Lucene: IndicNormalizationFilter',
    texts: [{ text: 'मुंबईमध्ये नोकरी, सॉफ्टवेअर', found: ['नोकरी', 'सॉफ्टवेअर'], missed: ['नकरी'] }],
  },
  {
    of: 'Bengali',
    after: 'Lucene: BengaliNormalizationFilter',
    texts: [
      { text: 'ঢাকায় চাকরি, শিক্ষক।', found: ['ঢাকায়', 'ঢাকায\u09bc', 'চাকরি', 'শিক্ষক'], missed: ['শক্ষক'] },
    ],
  },
  {
    of: 'Tamil',
    after: 'Elasticsearch: icu_tokenizer',
    texts: [
      { text: 'சென்னையில் வேலை, பொறியாளர்', found: ['வேலை', 'பொறியாளர்', 'ப\u0bc6\u0bbeறியாளர்'], missed: ['வல'] },
    ],
  },
  {
    of: 'Telugu',
    after: 'Lucene: TeluguNormalizationFilter',
    texts: [{ text: 'హైదరాబాద్‌లో ఉద్యోగం', found: ['ఉద్యోగం', 'హైదరాబాద్‌లో', 'హైదరాబాద్లో', 'హైదరాబాద్'] }],
  },
  {
    of: 'Malayalam',
    after: 'Unicode: chillu letters and joiners',
    texts: [{ text: 'കൊച്ചിയില്‍ ജോലി', found: ['ജോലി', 'കൊച്ചിയില്‍', 'കൊച്ചിയില്'], missed: ['ജല'] }],
  },
  {
    of: 'Sinhala',
    after: 'Unicode: joiners of Sinhala',
    texts: [{ text: 'ශ්‍රී ලංකා රැකියා', found: ['ශ්‍රී', 'ශ්රී', 'ලංකා'], missed: ['ලකා'] }],
  },
  {
    of: 'Armenian',
    after: 'Lucene: ArmenianAnalyzer; Unicode: CaseFolding.txt',
    texts: [
      { text: 'Երևան քաղաք։ ԾՐԱԳՐԱՎՈՐՈՂ', found: ['երևան', 'ԵՐԵՒԱՆ', 'երեւան', 'ծրագրավորող', 'քաղաք'] },
    ],
  },
  {
    of: 'Georgian',
    after: 'Unicode: Mtavruli',
    texts: [{ text: 'თბილისი, სამუშაო', found: ['თბილისი', 'ᲗᲑᲘᲚᲘᲡᲘ', 'სამუშაო'] }],
  },
  {
    of: 'Amharic',
    after: 'Elasticsearch: icu_tokenizer',
    texts: [{ text: 'አዲስ፡አበባ፣ ሥራ።', found: ['አዲስ', 'አበባ', 'ሥራ', '"አዲስ አበባ"'], missed: ['ሥ'] }],
  },
  {
    of: 'Tibetan',
    after: 'ICU: word boundaries; Unicode: tsheg',
    texts: [{ text: 'ལས་ཀ་འཚོལ་བ།', found: ['ལས', 'ལས་ཀ', 'འཚོལ་བ'], missed: ['ཀ་ལས'] }],
  },
  { of: 'Cherokee', after: 'Unicode: CaseFolding.txt', texts: [{ text: 'ᏣᎳᎩ ꮳꮃꭹ', found: ['ᏣᎳᎩ', 'ꮳꮃꭹ'] }] },
];
