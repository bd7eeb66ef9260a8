/** Texts of "See the mask work". */
import { wordsIn } from '../language.js';

const en = {
  // The beginning
  title: 'Why a large negative number makes a word invisible',
  lead:
    'Attention is a weighted mean: each word, as a query, gives every word, as a key, a share of its attention. ' +
    'A mask adds a negative number M to the scores of keys that must not be seen. The softmax turns a sum into a product: ' +
    'M = −5 leaves e⁻⁵ = 0.7% of a share, M = −1,000,000,000 leaves exactly 0. The word is not deleted. It is invisible.',
  sentence: 'Sentence',
  sample: 'The cat sat on the mat',
  other: 'sun',
  length: 'Tokens in the batch',
  lengthHelp: (words: number, padding: number) =>
    `${words} ${words === 1 ? 'word' : 'words'} + ${padding} padding`,
  shorter: 'One token fewer',
  longer: 'One token more',
  side: 'Padding',
  right: 'behind',
  left: 'before',
  empty: 'Type at least one word.',
  tooLong: (most: number) => `Only the first ${most} words are drawn.`,
  readsFrom: 'Who is looking? Choose a word:',
  strength: 'M of hidden words',
  strengthFactor: (m: string, factor: string) =>
    `exp(${m}) = ${factor}: this fraction of its share is left to a hidden word; then all shares are scaled to add up to 1 again.`,
  strengthNone: 'exp(0) = 1: nothing is hidden. This word sees the future and the padding.',
  strengthZero: (m: string) =>
    `exp(${m}) is smaller than the smallest number of 32 bits, 1.4e−45. It is 0; not nearly 0.`,
  nothingHidden: 'Nothing is hidden from this word: there is nothing to make invisible.',
  seesNothing:
    'Everything is hidden from this token. M alone would take the same from every score and change nothing; the package returns 0.',
  future: 'future',
  paddingTag: 'padding',
  looking: 'looking',

  // The bar
  masks: 'Masks',
  paddingMask: 'Padding',
  causalMask: 'Causal',
  layer: 'Layer',
  head: 'Head',
  headKinds: {
    previous: 'looks for the word before',
    next: 'looks for the next word: a cheat, if it may see the future',
    same: 'looks for the same word',
    near: 'looks around itself',
  },
  headDrawn: 'looks for nothing in particular: its weights are drawn from a seed',
  leakedFuture: 'of the attention goes to the future',
  leakedPadding: 'goes to padding',

  // 1
  who: 'Who may see whom',
  whoText:
    'Rows are queries, columns are keys; a filled cell means: may look. Padding hides whole columns. Causality hides what ' +
    'stands to the right of the diagonal. Both together are a logical AND: a key is visible when every mask says so.',
  paddingMap: 'Padding mask',
  causalMap: 'Causal mask',
  bothMap: 'Both: what attention gets',
  isOff: 'off',
  maskCell: (query: string, key: string, visible: boolean) =>
    `query ${query}, key ${key}: ${visible ? 'may look' : 'hidden'}`,

  // 2
  numbers: 'From scores to weights',
  numbersText:
    'Point at a cell, or move with the arrow keys: the same cell lights up in every step. Switch the causal mask off, and ' +
    'watch the future leak in.',
  scoresMap: 'Scores',
  biasMap: 'Mask M',
  sumMap: 'Scores + M',
  weightsMap: 'Weights',
  cell: (query: string, key: string) => `${query} → ${key}`,
  cellText: (
    query: string,
    key: string,
    numbers: { score: string; bias: string; masked: string; exp: string; weight: string },
  ) =>
    `query ${query}, key ${key}: score ${numbers.score}, M ${numbers.bias}, sum ${numbers.masked}, ` +
    `exp ${numbers.exp}, weight ${numbers.weight}`,
  score: 'score q·k/√H',
  sum: 'sum',
  exponential: (max: string) => `exp(sum − ${max})`,
  rowSum: 'sum of the row',
  weight: 'weight',
  whyVisible: 'This key may be seen: M is 0, and the score stays as it is.',
  whyHiddenFuture: 'This key is in the future: M makes the sum so low that exp is exactly 0.',
  whyHiddenPadding: 'This key is padding: M makes the sum so low that exp is exactly 0.',
  whyNothing:
    'This query may see nothing. M is the same everywhere in its row, so the softmax alone would share evenly among ' +
    'hidden keys. The package sets the row to 0: no leak, no NaN.',
  whyLeakFuture: 'A leak: this key is in the future, and no mask hides it.',
  whyLeakPadding: 'A leak: this key is padding, and no mask hides it.',
  absorbed:
    'The score is replaced by 0 before M is added, so nothing wild in a hidden key survives.',
  legendHidden: 'hidden',
  legendLeak: 'leak',
  legendPlus: 'positive',
  legendMinus: 'negative',

  // 3
  proof: 'The proof: change one word, and see who notices',
  proofText:
    'The model runs twice, before and after the change, and every row of its output is compared, bit by bit. Under the causal ' +
    'mask no row before the change can tell. Under the padding mask no real word can tell what padding holds.',
  change: 'Change',
  into: 'into',
  rowOf: 'Output of',
  noMask: 'no mask',
  onlyPadding: 'padding',
  onlyCausal: 'causal',
  bothMasks: 'both',
  identical: 'equal bits',
  itself: 'changed itself',
  changedBy: (difference: string) => `changes by up to ${difference}`,
  verdict: (equal: number, all: number) =>
    equal === all
      ? `With the masks that are on, all ${all} other rows are equal to the last bit.`
      : equal === 0
        ? `With the masks that are on, all ${all} other rows notice.`
        : `With the masks that are on, ${equal} of the ${all} other rows are equal to the last bit; ${all - equal} notice.`,
  legitimate: 'Rows behind the change may notice it: they are allowed to see it.',
  leakRow: 'should not have noticed',
  sameWord: 'That is the same word. Choose another one.',
  tableLabel: 'Which rows of the output change, under each choice of masks',

  // 4
  wrong: 'Three ways that look right',
  wrongText:
    'Two padding tokens and then words, as in a batch that generates: the first rows see nothing but padding. Left, the way it ' +
    'is often written; right, what this package does with the same numbers.',
  sumTitle: 'Adding two masks',
  sumText:
    'Twice −1e9 is −2e9. In the first row everything is hidden once or twice, so what is hidden only once wins: ' +
    'padding looks at the future. Logical AND first, then one M.',
  infinityTitle: '−Infinity instead of −1e9',
  infinityText:
    'A row that sees nothing becomes 0/0 = NaN, and one such row spoils every gradient of the batch. With −1e9 and weights ' +
    'set to 0 afterwards it is simply 0.',
  wildTitle: 'Only adding, not replacing',
  wildText: (score: string) =>
    `The last word holds huge numbers, and its score for the first word is ${score}. Minus 1e9 that is still the largest of ` +
    'the row: a hidden word takes everything. Scores are replaced before M is added.',
  ordinary: 'the ordinary way',
  here: 'here',

  footnote: (deviation: string) =>
    `Three layers of four heads, width 32, made of this package’s layers. Nothing is trained: the heads of layer 1 are set by hand, ` +
    `the rest is drawn from a seed. The formula, computed step by step, and the layers themselves differ by at most ${deviation}. ` +
    'This view computes on the cpu backend, so that every machine shows the same numbers.',
};

/** What each language has to say. */
export type MaskWords = typeof en;

const zh: MaskWords = {
  title: '为什么一个很大的负数，能让一个词“隐身”',
  lead:
    '注意力就是加权平均：每个词作为查询（query），给每个作为键（key）的词分配一份注意力。' +
    '掩码给不该看见的键的分数加上一个负数 M。softmax 会把相加变成相乘：M = −5 时，那一份只剩 e⁻⁵ = 0.7%；' +
    'M = −1,000,000,000 时，恰好剩下 0。这个词没有被删除，只是谁也看不见它。',
  sentence: '句子',
  sample: '月亮看猫，猫看月亮',
  other: '太阳',
  length: '批次长度（词元数）',
  lengthHelp: (words, padding) => `${words} 个词 + ${padding} 个填充`,
  shorter: '减少一个词元',
  longer: '增加一个词元',
  side: '填充位置',
  right: '句尾',
  left: '句首',
  empty: '请至少输入一个词。',
  tooLong: (most) => `只画出前 ${most} 个词。`,
  readsFrom: '谁在看？点选一个词：',
  strength: '被遮住的词的 M',
  strengthFactor: (m, factor) =>
    `exp(${m}) = ${factor}：被遮住的词只保留自己那一份的这么多，然后所有份额重新缩放，使总和仍为 1。`,
  strengthNone: 'exp(0) = 1：什么都没遮住。这个词看得见未来，也看得见填充。',
  strengthZero: (m) =>
    `exp(${m}) 比 32 位浮点数能表示的最小正数 1.4e−45 还小，结果就是 0，而不是“接近 0”。`,
  nothingHidden: '没有什么对这个词是隐藏的，所以也就没有词可以“隐身”。',
  seesNothing:
    '对这个词元来说，一切都被遮住了。单靠 M 只是给每个分数减去同一个数，什么也不会改变；本库直接返回 0。',
  future: '未来',
  paddingTag: '填充',
  looking: '正在看',

  masks: '掩码',
  paddingMask: '填充',
  causalMask: '因果',
  layer: '层',
  head: '头',
  headKinds: {
    previous: '寻找前一个词',
    next: '寻找下一个词：如果看得见未来，就等于作弊',
    same: '寻找相同的词',
    near: '看自己附近',
  },
  headDrawn: '没有特定目标：权重由随机种子生成',
  leakedFuture: '的注意力流向未来',
  leakedPadding: '流向填充',

  who: '谁能看见谁',
  whoText:
    '行是查询，列是键；实心格表示“可以看”。填充掩码遮住整列，因果掩码遮住对角线右侧的一切。' +
    '两者用逻辑“与”合并：只有每个掩码都允许，键才可见。',
  paddingMap: '填充掩码',
  causalMap: '因果掩码',
  bothMap: '合并：注意力实际使用的掩码',
  isOff: '已关闭',
  maskCell: (query, key, visible) => `查询“${query}”，键“${key}”：${visible ? '可以看' : '被遮住'}`,

  numbers: '从分数到权重',
  numbersText:
    '把鼠标移到格子上，或用方向键移动：同一个格子会在每一步里同时亮起。关掉因果掩码，看看未来是怎样泄漏进来的。',
  scoresMap: '分数',
  biasMap: '掩码 M',
  sumMap: '分数 + M',
  weightsMap: '权重',
  cell: (query, key) => `${query} → ${key}`,
  cellText: (query, key, { score, bias, masked, exp, weight }) =>
    `查询“${query}”，键“${key}”：分数 ${score}，M ${bias}，和 ${masked}，exp ${exp}，权重 ${weight}`,
  score: '分数 q·k/√H',
  sum: '和',
  exponential: (max) => `exp(和 − ${max})`,
  rowSum: '整行之和',
  weight: '权重',
  whyVisible: '这个键可以看见：M 是 0，分数保持不变。',
  whyHiddenFuture: '这个键在未来：M 让和变得极小，exp 恰好为 0。',
  whyHiddenPadding: '这个键是填充：M 让和变得极小，exp 恰好为 0。',
  whyNothing:
    '这个查询什么都不能看。整行的 M 都一样，单靠 softmax 会把注意力平均分给被遮住的键。本库把整行设为 0：不泄漏，也没有 NaN。',
  whyLeakFuture: '泄漏：这个键在未来，却没有掩码遮住它。',
  whyLeakPadding: '泄漏：这个键是填充，却没有掩码遮住它。',
  absorbed: '加上 M 之前，分数先被替换成 0，因此被遮住的键里再离谱的数值也留不下来。',
  legendHidden: '被遮住',
  legendLeak: '泄漏',
  legendPlus: '正',
  legendMinus: '负',

  proof: '证明：改一个词，看谁会察觉',
  proofText:
    '模型在改动前后各运行一次，逐位比较输出的每一行。有因果掩码时，改动之前的行都无从察觉；' +
    '有填充掩码时，填充里装了什么，真正的词都无从察觉。',
  change: '把',
  into: '改成',
  rowOf: '这一行的输出',
  noMask: '无掩码',
  onlyPadding: '填充',
  onlyCausal: '因果',
  bothMasks: '两者',
  identical: '逐位相同',
  itself: '被改的词',
  changedBy: (difference) => `最大变化 ${difference}`,
  verdict: (equal, all) =>
    equal === all
      ? `在当前掩码下，其余 ${all} 行全部逐位相同。`
      : equal === 0
        ? `在当前掩码下，其余 ${all} 行全都察觉到了。`
        : `在当前掩码下，其余 ${all} 行中有 ${equal} 行逐位相同，${all - equal} 行察觉到了。`,
  legitimate: '位于改动之后的行可以察觉：它们本来就有权看见它。',
  leakRow: '本不该察觉',
  sameWord: '这是同一个词，请换一个。',
  tableLabel: '在每种掩码组合下，输出的哪些行会变化',

  wrong: '三种看似正确的写法',
  wrongText:
    '先是两个填充，后面才是词，就像批量生成时那样：前两行除了填充什么也看不见。左边是常见的写法，右边是本库用同样的数得到的结果。',
  sumTitle: '把两个掩码相加',
  sumText:
    '两个 −1e9 相加是 −2e9。第一行里每个键都被遮了一次或两次，于是只被遮一次的反而胜出：填充看见了未来。应当先做逻辑“与”，再加一个 M。',
  infinityTitle: '用 −Infinity 代替 −1e9',
  infinityText:
    '什么都看不见的一行会变成 0/0 = NaN，而这样一行就足以毁掉整个批次的梯度。用 −1e9，再把权重设为 0，结果就是普普通通的 0。',
  wildTitle: '只相加，不替换',
  wildText: (score) =>
    `最后一个词里装着巨大的数，第一个词给它的分数是 ${score}。减去 1e9 之后它仍是整行最大的：被遮住的词拿走了全部注意力。因此要先替换分数，再加 M。`,
  ordinary: '常见写法',
  here: '本库',

  footnote: (deviation) =>
    `三层，每层四个头，宽度 32，全部由本库的层搭成。没有经过训练：第 1 层的头是手工设定的，其余由随机种子生成。` +
    `按公式逐步计算的结果与各层自身的输出最多相差 ${deviation}。` +
    '本视图在 cpu 后端上计算，因此每台设备显示的数字都相同。',
};

/** Texts of the view, in the language of the moment. */
export const words = wordsIn<MaskWords>({ en, zh });
