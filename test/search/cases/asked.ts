import type { Block } from './case.ts';

/** Queries with operators, and unfinished ones, which only the job search supports. */
export const asked: Block[] = [
  {
    of: 'operators',
    after: 'PostgreSQL: websearch_to_tsquery, text search operators',
    texts: [
      {
        text: 'The fat cat sat on the mat and ate a fat rat',
        found: [
          'fat rat',
          'rat fat',
          '"fat rat"',
          '"fat cat" rat',
          '"sad cat" or "fat rat"',
          'dog or cat',
          'cat -dog',
          'cat -"sad cat"',
          'fat or dog -cat',
          '-dog',
          'cat or or dog',
          'Cat OR dog',
          '"the mat',
          'cat and',
        ],
        missed: [
          '"rat fat"',
          '"cat mat"',
          'cat -rat',
          '-cat',
          'dog or bird',
          'cat -"fat rat"',
          '"fat fat"',
          'cat dog',
        ],
      },
      {
        text: 'a dummy query',
        found: ['""" )( dummy \\ query <->', 'dummy & query', 'dummy | query', "'dummy':*", 'dummy:*'],
        missed: [
          'dum:*',
          'dummy & absent',
          '!dummy:* absent',
          '',
          ' ',
          '"',
          '-',
          '( )',
          '\\',
          "'",
          '&|!<->',
          '""',
        ],
      },
      {
        text: 'signal of a segmentation fault',
        found: ['signal', 'signal -"fault segmentation"', '“segmentation fault”', '«segmentation fault»'],
        missed: ['signal -"segmentation fault"', '„fault segmentation“', 'signal −fault'],
      },
      {
        text: 'Engineer - Berlin or Hamburg',
        found: [
          'Engineer - Berlin',
          'engineer – berlin',
          'or',
          'engineer --berlin',
          'or berlin',
          'berlin or',
        ],
        missed: ['engineer -berlin', 'engineer ---berlin', 'engineer -(berlin'],
      },
      { text: 'JavaScript developer', found: ['developer -java', 'javascript'], missed: ['java', 'javascr'] },
      {
        text: 'résumé of a developer',
        found: ['developer -java'],
        missed: ['developer -resume', 'developer -résumé'],
      },
      {
        text: 'naïve and cool',
        found: ['naïve or absent', 'naïve cool'],
        accents: ['naive', 'naive or absent', '"naive and"'],
        missed: ['naive -cool'],
      },
    ],
  },
];

export const typing: Block[] = [
  {
    of: 'typing',
    after: 'Algolia and Meilisearch: prefix search of the last word',
    texts: [
      {
        text: 'Full-Stack Engineer in München',
        found: [
          'full-sta',
          'full sta',
          'fullsta',
          'fu',
          'engineer mün',
          'engineer -mün',
          '"full-stack eng',
          'full-stack',
          'en',
        ],
        accents: ['engineer mun', 'munch'],
        missed: ['sta-f', 'ful stack', '"full-stack eng"', 'e', 'eng ', 'eng.', 'full-stack, engin,'],
      },
      { text: 'Cashier', found: ['ca', 'CASH'], missed: ['C++', 'c', 'c#', 'c+', 'cashiers'] },
      {
        text: 'JavaScript Developer',
        found: ['java', 'Developer java', 'javascript -jav', '-jav'],
        missed: ['developer -javascript', '-javascript'],
      },
      { text: 'C++ Developer', found: ['C++', 'c++ dev'], missed: ['C', 'c++x'] },
      {
        text: 'Senior .NET and Node.js work',
        found: ['.ne', '.net', 'node.j', 'nodej', 'node.js'],
        missed: ['no.js'],
      },
      { text: '招聘上海软件工程师', found: ['上', '上海', '软件工'], missed: ['海上'] },
      {
        text: 'Åland-Straße',
        found: ['åla', 'strass', 'åland-str', 'STRASSE'],
        accents: ['ala', 'aland-str'],
      },
    ],
  },
];
