import type { Block } from './case.ts';

/** Languages in the Latin script. */
export const latin: Block[] = [
  {
    of: 'German',
    after: 'Lucene: GermanNormalizationFilter; Unicode: CaseFolding.txt',
    texts: [
      {
        text: 'Büro in München, Straße 5',
        found: ['münchen', 'MÜNCHEN', 'mu\u0308nchen', 'strasse', 'STRASSE', 'straße', 'STRAẞE'],
        accents: ['munchen', 'buro'],
        missed: ['muenchen'],
      },
      { text: 'mu\u0308nchen', found: ['München', 'münchen'], accents: ['Munchen', 'múnchen'] },
      { text: 'MUNCHEN', found: ['munchen'], accents: ['münchen'] },
      {
        text: 'Groß- und Außenhandel, C++-Entwickler',
        found: ['gross', 'aussenhandel', 'c++', 'entwickler', 'C++-Entwickler'],
      },
      {
        text: 'E-Mail-Adresse',
        found: ['email', 'e-mail', 'emailadresse', 'Email-Adresse', 'adresse', 'email adresse'],
        missed: ['mailadresse'],
      },
      { text: '„Führungskraft“ (m/w/d)', found: ['führungskraft', 'm/w/d'], accents: ['fuhrungskraft'] },
    ],
  },
  {
    of: 'French',
    after: 'Lucene: ElisionFilter, ASCIIFoldingFilter',
    texts: [
      {
        text: 'J’examine près du wharf',
        found: ['examine', "j'examine", 'j’examine', 'près'],
        accents: ['pres'],
      },
      {
        text: "l'entreprise d'aujourd’hui",
        found: ['entreprise', 'l’entreprise', "aujourd'hui", 'aujourd’hui', 'lentreprise'],
      },
      {
        text: 'Ingénieur à Besançon, cœur de métier',
        found: ['ingénieur', 'besançon', 'cœur', 'INGÉNIEUR'],
        accents: ['ingenieur', 'besancon', 'coeur', 'metier a'],
      },
      {
        text: 'ingenieur a Besancon',
        found: ['ingenieur'],
        accents: ['ingénieur', 'besançon', 'à besançon'],
      },
      { text: 'Où ? « Ici » !', found: ['où', 'ici', '« ici »'], accents: ['ou'] },
    ],
  },
  {
    of: 'Spanish',
    after: 'Elasticsearch: asciifolding; Algolia: normalization',
    texts: [
      {
        text: '¿Trabajas en España? ¡Sí, señor!',
        found: ['españa', 'trabajas', 'sí', 'señor', 'ESPAÑA'],
        accents: ['espana', 'si senor', 'senor'],
      },
      { text: 'El niño y el pingüino', found: ['niño', 'pingüino'], accents: ['nino', 'pinguino', 'ninó'] },
    ],
  },
  {
    of: 'Portuguese',
    after: 'Elasticsearch: asciifolding',
    texts: [
      {
        text: 'açaí à la carte, São Paulo, informação',
        found: ['açaí', 'são', 'SÃO PAULO'],
        accents: ['acai', 'sao paulo', 'informacao', '"sao paulo"'],
      },
    ],
  },
  {
    of: 'Italian',
    after: 'Lucene: ElisionFilter',
    texts: [
      {
        text: 'Perché l’università dell’Aquila è qui',
        found: ['università', 'aquila', "dell'aquila", 'perché'],
        accents: ['universita', "l'universita", 'perche', 'e'],
      },
    ],
  },
  {
    of: 'Dutch',
    after: 'Lucene: ASCIIFoldingFilter',
    texts: [
      {
        text: 'Coördinator in ’s-Hertogenbosch, één dag',
        found: ['coördinator', 'hertogenbosch', "'s-hertogenbosch", 'shertogenbosch'],
        accents: ['coordinator', 'een dag'],
      },
    ],
  },
  {
    of: 'Swedish',
    after: 'Lucene: ScandinavianFoldingFilter, ScandinavianNormalizationFilter',
    texts: [
      {
        text: 'räksmörgås i Göteborg',
        found: ['räksmörgås', 'GÖTEBORG', 'go\u0308teborg'],
        accents: ['raksmorgas', 'goteborg'],
        missed: ['goeteborg'],
      },
    ],
  },
  {
    of: 'Danish',
    after: 'Lucene: ScandinavianFoldingFilter',
    texts: [
      {
        text: 'blåbærsyltetøj fra Århus',
        found: ['blåbærsyltetøj', 'århus'],
        accents: ['blabaersyltetoj', 'arhus', 'blåbaersyltetöj'],
      },
    ],
  },
  {
    of: 'Norwegian',
    after: 'Lucene: ScandinavianFoldingFilter',
    texts: [
      {
        text: 'Utvikler i Tromsø og Ålesund',
        found: ['tromsø', 'ålesund'],
        accents: ['tromso', 'alesund', 'tromsö'],
      },
    ],
  },
  {
    of: 'Finnish',
    after: 'Elasticsearch: asciifolding',
    texts: [
      {
        text: 'Työpaikka Jyväskylässä',
        found: ['työpaikka', 'jyväskylässä'],
        accents: ['tyopaikka', 'jyvaskylassa'],
        missed: ['jyväskylä'],
      },
    ],
  },
  {
    of: 'Icelandic',
    after: 'Lucene: ASCIIFoldingFilter',
    texts: [
      {
        text: 'Það er starf á Íslandi, Þórður',
        found: ['það', 'íslandi', 'þórður'],
        accents: ['thad', 'islandi', 'thordur'],
      },
    ],
  },
  {
    of: 'Polish',
    after: 'PostgreSQL: unaccent',
    texts: [
      {
        text: 'Praca w Łodzi: księgowość, żółty',
        found: ['łodzi', 'ŁODZI', 'księgowość'],
        accents: ['lodzi', 'ksiegowosc', 'zolty', '"praca w lodzi"'],
      },
    ],
  },
  {
    of: 'Czech',
    after: 'PostgreSQL: unaccent',
    texts: [
      {
        text: 'Příliš žluťoučký kůň v Plzni',
        found: ['příliš', 'kůň', 'KŮŇ'],
        accents: ['prilis', 'zlutoucky kun', 'kun'],
      },
    ],
  },
  {
    of: 'Slovak',
    after: 'PostgreSQL: unaccent',
    texts: [
      {
        text: 'vývojár v Košiciach, ľahký',
        found: ['vývojár', 'ľahký'],
        accents: ['vyvojar', 'kosiciach', 'lahky'],
      },
    ],
  },
  {
    of: 'Hungarian',
    after: 'Elasticsearch: asciifolding',
    texts: [
      {
        text: 'árvíztűrő tükörfúrógép',
        found: ['árvíztűrő', 'TÜKÖRFÚRÓGÉP'],
        accents: ['arvizturo', 'tukorfurogep'],
      },
    ],
  },
  {
    of: 'Romanian',
    after: 'Unicode: the comma below and the cedilla',
    texts: [
      {
        text: 'Angajăm în București și Iași',
        found: ['bucurești', 'și', 'iași'],
        accents: ['bucuresti', 'bucureşti', 'angajam', 'in iasi'],
      },
    ],
  },
  {
    of: 'Turkish',
    after: 'Lucene: TurkishLowerCaseFilter, ApostropheFilter; Unicode: CaseFolding.txt',
    texts: [
      {
        text: 'İstanbul’da IŞIK ve Diyarbakır',
        found: [
          'istanbul',
          'İSTANBUL',
          'ISTANBUL',
          'ıstanbul',
          'ışık',
          'IŞIK',
          'diyarbakir',
          'DİYARBAKIR',
          'istanbulda',
        ],
        accents: ['isik'],
      },
      { text: "Istanbul'a veya Istanbul'dan", found: ['istanbul', 'İstanbul', "istanbul'dan"] },
      { text: 'Çağrı Öğretmen', found: ['çağrı', 'ÖĞRETMEN'], accents: ['cagri', 'ogretmen'] },
    ],
  },
  {
    of: 'Azerbaijani',
    after: 'Lucene: ASCIIFoldingFilter',
    texts: [{ text: 'Gəncədə iş elanı', found: ['gəncədə', 'GƏNCƏDƏ'], accents: ['gencede', 'is elani'] }],
  },
  {
    of: 'Vietnamese',
    after: 'ICU: folding; PostgreSQL: unaccent',
    texts: [
      {
        text: 'Tuyển lập trình viên tại Đà Nẵng',
        found: ['đà nẵng', 'lập trình', '"lập trình viên"', 'TUYỂN', 'tuye\u0302\u0309n'],
        accents: ['da nang', 'lap trinh vien', 'tuyen', '"da nang"', 'tuyên'],
      },
    ],
  },
  {
    of: 'Catalan',
    after: 'Lucene: ElisionFilter; Unicode: the middle dot',
    texts: [
      {
        text: "Col·legi d'enginyers, il·lusió",
        found: ['col·legi', 'collegi', 'enginyers', 'il·lusió', "d'enginyers", 'coŀlegi'],
        accents: ['illusio', 'il·lusio'],
      },
    ],
  },
  {
    of: 'Croatian',
    after: 'PostgreSQL: unaccent',
    texts: [
      {
        text: 'Đorđe traži učitelja, ǆep',
        found: ['đorđe', 'učitelja', 'džep'],
        accents: ['dorde', 'ucitelja', 'trazi', 'dzep'],
      },
    ],
  },
  {
    of: 'Lithuanian',
    after: 'Unicode: SpecialCasing.txt',
    texts: [
      {
        text: 'Šiauliuose ieškome žmogaus',
        found: ['šiauliuose', 'ŠIAULIUOSE'],
        accents: ['siauliuose', 'ieskome zmogaus'],
      },
    ],
  },
  {
    of: 'Latvian',
    after: 'Elasticsearch: asciifolding',
    texts: [
      {
        text: 'Rīgā meklē grāmatvedi, ķīmiķis',
        found: ['rīgā', 'ķīmiķis'],
        accents: ['riga', 'gramatvedi', 'kimikis'],
      },
    ],
  },
  {
    of: 'Maltese',
    after: 'Lucene: ASCIIFoldingFilter',
    texts: [{ text: 'Ħal Qormi, għalliem', found: ['ħal', 'għalliem', 'ĦAL'], accents: ['hal', 'ghalliem'] }],
  },
  {
    of: 'Hawaiian',
    after: 'Unicode: modifier letters',
    texts: [{ text: 'Hawaiʻi, Kauaʻi', found: ['hawaii', "hawai'i", 'hawaiʻi', 'kauai'] }],
  },
  {
    of: 'Swahili',
    after: 'Lucene: StandardTokenizer',
    texts: [
      {
        text: "Ng'ombe na mwalimu-mkuu",
        found: ["ng'ombe", 'ngombe', 'mwalimu', 'mkuu'],
        missed: ['mwalim'],
      },
    ],
  },
];
