/** Security headers of every answer, whichever process gives it. */

/** `same-origin` and not `no-referrer`, which hides the origin of our own page's requests too. */
export const COMMON_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
} as const;
