import type { Block } from './case.ts';

/** Languages without spaces between words, and Korean, which attaches endings to them. */
export const unspaced: Block[] = [
  {
    of: 'Chinese',
    after: 'Lucene: CJKBigramFilter; PGroonga: TokenBigram; Meilisearch: Charabia',
    texts: [
      {
        text: '我家在上海东边',
        found: ['上海', '我家', '东边', '上海东', '上', '边', '我家在上海东边', '海东 我家', '"上海东边"'],
        missed: ['海上', '上东', '北', '上海西', '我在'],
      },
      {
        text: '招聘：Java工程师（上海）、5年经验',
        found: ['java', 'java工程师', '上海', '工程师', '5年', '5', '（上海）'],
        missed: ['工师', '师上'],
      },
      { text: '上海 works', found: ['"上海 works"', '"海 works"', 'works 上海'], missed: ['"上 works"'] },
      { text: '臺灣的軟體', found: ['臺灣', '軟體'], missed: ['台湾', '软体'] },
      { text: '㍿ 株式會社 﨑', found: ['株式会社', '株式會社'] },
      { text: '𠮷野家', found: ['𠮷野', '𠮷', '野家'], missed: ['吉野'] },
      { text: '上海/北京', found: ['上海/北京', '北京', '上海 北京'], missed: ['海北'] },
      { text: '不要上海 -北京', found: ['上海 -广州'], missed: ['上海 -北京', '上海 -"北京"'] },
    ],
  },
  {
    of: 'Japanese',
    after: 'Elasticsearch: cjk_bigram, kuromoji; PGroonga: NormalizerNFKC',
    texts: [
      {
        text: '東京都は、日本の首都であり',
        found: ['東京', '京都', '東京都', '日本の首都', '都', '首都であり'],
        missed: ['東都', '都は日本の', '大阪'],
      },
      {
        text: 'ソフトウェア・エンジニアを募集',
        found: ['エンジニア', 'ｴﾝｼﾞﾆｱ', 'ソフトウェア', 'ソフトウェア・エンジニア', '募集'],
        missed: ['エンシニア', 'えんじにあ'],
      },
      { text: 'ｻｰﾊﾞｰ管理者 ガ', found: ['サーバー', 'サーバ', 'サーバー管理', 'カ\u3099'], missed: ['カ'] },
      {
        text: '時々、「会議」があります。',
        found: ['時々', '会議', '「会議」', 'あります'],
        missed: ['会議が'],
      },
      { text: 'iPhone用アプリ', found: ['iphone', 'アプリ', 'iPhone用', '用アプリ'], missed: ['phone'] },
    ],
  },
  {
    of: 'Korean',
    after: 'Elasticsearch: cjk, nori; Lucene: CJKAnalyzer',
    texts: [
      {
        text: '서울에서 개발자를 구합니다',
        found: ['서울', '서울에서', '개발자', '개발', '서울 개발자', '서', '"서울에서 개발자"'],
        missed: ['부산', '울서', '서울개발자'],
      },
      { text: '뿌리가 깊은 나무는', found: ['뿌리', '나무', '깊은 나무', '뿌'], missed: ['나뿌'] },
      { text: '\u1112\u1161\u11ab\u1100\u1173\u11af IT개발', found: ['한글', '한', 'it', 'it개발', '개발'] },
    ],
  },
  {
    of: 'Thai',
    after: 'Elasticsearch: thai tokenizer; ICU: dictionaries',
    texts: [
      {
        text: 'การที่ได้ต้องแสดงว่างานดี',
        found: ['งานดี', 'งาน', 'แสดง', 'ที่ได้', 'ดี', 'การ'],
        missed: ['ไม่ดี', 'ดีงาน'],
      },
      {
        text: 'รับสมัครพนักงานที่กรุงเทพฯ ด่วน!',
        found: ['พนักงาน', 'กรุงเทพ', 'ด่วน', 'กรุงเทพ พนักงาน', 'สมัคร'],
        missed: ['เชียงใหม่', 'กรุงงาน'],
      },
      { text: 'ทำงาน ๒๕๖๙', found: ['ทำงาน', 'ท\u0e4d\u0e32งาน', '๒๕๖๙'], accents: ['2569'] },
    ],
  },
  {
    of: 'Lao',
    after: 'ICU: dictionaries',
    texts: [{ text: 'ຊອກວຽກຢູ່ວຽງຈັນ', found: ['ວຽກ', 'ວຽງຈັນ', 'ຊອກວຽກ'], missed: ['ຈັນວຽງ'] }],
  },
  {
    of: 'Khmer',
    after: 'ICU: dictionaries',
    texts: [{ text: 'ការងារនៅភ្នំពេញ។', found: ['ភ្នំពេញ', 'ការងារ', 'ងារនៅ'], missed: ['ពេញការ'] }],
  },
  {
    of: 'Burmese',
    after: 'ICU: dictionaries',
    texts: [{ text: 'ရန်ကုန်မြို့တွင်အလုပ်', found: ['ရန်ကုန်', 'အလုပ်', 'မြို့'], missed: ['အလုပ်ရန်'] }],
  },
];
