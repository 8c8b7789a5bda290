// What is known, by quantity: how many base units one of each is (temperature: how to get to kelvin and back).
// [symbol, English, Korean, factor]
export const KINDS = {
  length: {
    names: ["Length", "길이"],
    start: ["cm", "in"],
    units: [
      ["mm", "millimetre", "밀리미터", 0.001],
      ["cm", "centimetre", "센티미터", 0.01],
      ["m", "metre", "미터", 1],
      ["km", "kilometre", "킬로미터", 1000],
      ["in", "inch", "인치", 0.0254],
      ["ft", "foot", "피트", 0.3048],
      ["yd", "yard", "야드", 0.9144],
      ["mi", "mile", "마일", 1609.344],
      ["nmi", "nautical mile", "해리", 1852],
      ["자", "ja", "자", 10 / 33],
      ["리", "ri", "리", 12960 / 33],
    ],
  },
  weight: {
    names: ["Weight", "무게"],
    start: ["kg", "lb"],
    units: [
      ["mg", "milligram", "밀리그램", 1e-6],
      ["g", "gram", "그램", 0.001],
      ["kg", "kilogram", "킬로그램", 1],
      ["t", "tonne", "톤", 1000],
      ["oz", "ounce", "온스", 0.028349523125],
      ["lb", "pound", "파운드", 0.45359237],
      ["돈", "don", "돈", 0.00375],
      ["냥", "nyang", "냥", 0.0375],
      ["근", "geun (meat)", "고기 600 g", 0.6],
      ["관", "gwan", "관", 3.75],
    ],
  },
  temperature: {
    names: ["Temperature", "온도"],
    start: ["°C", "°F"],
    units: [
      ["°C", "Celsius", "섭씨", [(value) => value + 273.15, (kelvin) => kelvin - 273.15]],
      ["°F", "Fahrenheit", "화씨", [(value) => ((value + 459.67) * 5) / 9, (kelvin) => (kelvin * 9) / 5 - 459.67]],
      ["K", "kelvin", "켈빈", 1],
    ],
  },
  area: {
    names: ["Area", "넓이"],
    start: ["㎡", "평"],
    units: [
      ["㎠", "square centimetre", "제곱센티미터", 0.0001],
      ["㎡", "square metre", "제곱미터", 1],
      ["ha", "hectare", "헥타르", 10000],
      ["㎢", "square kilometre", "제곱킬로미터", 1e6],
      ["평", "pyeong", "평", 400 / 121],
      ["마지기", "majigi (200 pyeong)", "200평", 80000 / 121],
      ["ft²", "square foot", "제곱피트", 0.09290304],
      ["ac", "acre", "에이커", 4046.8564224],
    ],
  },
  volume: {
    names: ["Volume", "부피"],
    start: ["L", "gal"],
    units: [
      ["mL", "millilitre", "밀리리터", 0.001],
      ["L", "litre", "리터", 1],
      ["㎥", "cubic metre", "세제곱미터", 1000],
      ["tsp", "teaspoon (US)", "작은술 (미국)", 0.00492892159375],
      ["tbsp", "tablespoon (US)", "큰술 (미국)", 0.01478676478125],
      ["cup", "cup (US)", "컵 (미국)", 0.2365882365],
      ["pt", "pint (US)", "파인트 (미국)", 0.473176473],
      ["gal", "gallon (US)", "갤런 (미국)", 3.785411784],
      ["홉", "hop", "홉", 2401 / 13310],
      ["되", "doe", "되", 2401 / 1331],
      ["말", "mal", "말", 24010 / 1331],
    ],
  },
  speed: {
    names: ["Speed", "속도"],
    start: ["km/h", "mph"],
    units: [
      ["m/s", "metre per second", "초속 미터", 1],
      ["km/h", "kilometre per hour", "시속 킬로미터", 1 / 3.6],
      ["mph", "mile per hour", "시속 마일", 0.44704],
      ["kn", "knot", "노트", 1852 / 3600],
    ],
  },
  time: {
    names: ["Time", "시간"],
    start: ["h", "min"],
    units: [
      ["ms", "millisecond", "밀리초", 0.001],
      ["s", "second", "초", 1],
      ["min", "minute", "분", 60],
      ["h", "hour", "시간", 3600],
      ["d", "day", "일", 86400],
      ["wk", "week", "주", 604800],
      ["yr", "year (365.25 days)", "년 (365.25일)", 31557600],
    ],
  },
  data: {
    names: ["Data", "데이터"],
    start: ["GB", "GiB"],
    units: [
      ["bit", "bit", "비트", 0.125],
      ["B", "byte", "바이트", 1],
      ["kB", "kilobyte", "킬로바이트", 1e3],
      ["MB", "megabyte", "메가바이트", 1e6],
      ["GB", "gigabyte", "기가바이트", 1e9],
      ["TB", "terabyte", "테라바이트", 1e12],
      ["KiB", "kibibyte", "키비바이트", 2 ** 10],
      ["MiB", "mebibyte", "메비바이트", 2 ** 20],
      ["GiB", "gibibyte", "기비바이트", 2 ** 30],
      ["TiB", "tebibyte", "테비바이트", 2 ** 40],
    ],
  },
};

/** Convert *value* between two units of one quantity, given by symbol. */
export function convert(value, kind, from, to) {
  const factor = (symbol) => KINDS[kind].units.find(([known]) => known === symbol)[3];
  const [up, down] = [factor(from), factor(to)];
  if (up === down) return value;
  const base = Array.isArray(up) ? up[0](value) : value * up;
  return Array.isArray(down) ? down[1](base) : base / down;
}
