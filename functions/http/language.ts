/** Which of the two languages a client reads, from `Accept-Language`. */

/** The languages the service speaks; Chinese is the default. */
export type Language = 'zh' | 'en';

/**
 * Chinese, unless the header gives English a higher weight (RFC 9110, section 12.5.4; the first named wins a tie).
 */
export function preferredLanguage(acceptLanguage: string | undefined): Language {
  let best: { language: Language; weight: number } | undefined;
  for (const range of (acceptLanguage ?? '').split(',')) {
    const [tag = '', ...parameters] = range
      .toLowerCase()
      .split(';')
      .map((part) => part.trim());
    const language = tag.split('-')[0];
    if (language !== 'zh' && language !== 'en') continue;
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    if (weight > (best?.weight ?? 0)) best = { language, weight };
  }
  return best?.language ?? 'zh';
}
