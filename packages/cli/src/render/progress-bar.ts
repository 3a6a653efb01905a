/** `[##########----------]  52%` */
export function progressBar(ratio: number, width = 24): string {
  const bounded = Math.min(1, Math.max(0, ratio));
  const filled = Math.floor(bounded * width);
  const percent = String(Math.floor(bounded * 100)).padStart(3);
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${percent}%`;
}
