/** Texts of one area in both languages; the keys of both are the same (checked by the type). */
const en = {}

const ru: typeof en = {}

export const imports = { en, ru }
