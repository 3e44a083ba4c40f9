/** Whether a pattern of IAM (`*` for any run of characters, `?` for any one) describes the whole text. Takes time in the product of both lengths at most. */
export function matchesPattern(pattern: string, text: string): boolean {
  let inPattern = 0;
  let inText = 0;
  let lastStar = -1;
  let afterStar = 0;
  while (inText < text.length) {
    if (pattern[inPattern] === "*") {
      lastStar = inPattern++;
      afterStar = inText;
    } else if (inPattern < pattern.length && (pattern[inPattern] === "?" || pattern[inPattern] === text[inText])) {
      inPattern += 1;
      inText += 1;
    } else if (lastStar >= 0) {
      inPattern = lastStar + 1;
      inText = ++afterStar;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === "*") inPattern += 1;
  return inPattern === pattern.length;
}

/** A text that the pattern describes, and that few other patterns do: for a question about everything that it covers. */
export function exampleOf(pattern: string): string {
  return pattern.replaceAll("*", "any").replaceAll("?", "x");
}

/** Whether the pattern describes more than one text. */
export function hasWildcard(pattern: string): boolean {
  return /[*?]/.test(pattern);
}
