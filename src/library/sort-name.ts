// Names as a shelf orders them: "Beatles, The" under B.
import { foldText } from './tag-text.ts';

/** The name with its leading article moved to the end; unchanged when it has none. */
export function moveArticle(name: string, articles: readonly string[]): string {
  for (const article of articles) {
    const head = name.slice(0, article.length);
    const rest = name.slice(article.length).trimStart();
    if (
      head.toLowerCase() === article.toLowerCase() &&
      /^\s/.test(name.slice(article.length)) &&
      rest !== ''
    ) {
      return `${rest}, ${head}`;
    }
  }
  return name;
}

/** The letter a name is filed under: A to Z, "#" for everything else. */
export function initialOf(sortName: string): string {
  const first = foldText(sortName.trim()).charAt(0).toUpperCase();
  return /^[A-Z]$/.test(first) ? first : '#';
}
