package ui

// localeIsAlwaysUTF8: Windows has no locale variables and its terminals take UTF-8.
const localeIsAlwaysUTF8 = true
