// The entry products by the names that people know them by.

const names = { dao: "Hello World DAO", fos: "FounderyOS", lighthouse: "Lighthouse", "think-tank": "Think Tank" };

export const productName = (product) => (Object.hasOwn(names, product) ? names[product] : product ?? "");
