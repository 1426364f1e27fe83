/** Berth's own version. */
export const berthVersion = '0.1.0'
