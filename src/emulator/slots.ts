import type { Random } from "./random.ts";
import type { Language } from "./scenario.ts";

type Slot = (random: Random) => string;
export type Slots = Readonly<Record<string, Slot>>;

const choice = (text: string): Slot => {
  const items = text.split("|");
  return (random) => random.pick(items);
};

const paragraphs =
  (opening: Slot, middle: Slot, ending: Slot, separator: string): Slot =>
  (random) => {
    // Usually a short story, sometimes one with a few thousand characters.
    const count = random.chance(0.08) ? random.int(9, 16) : random.int(1, 3);
    const body = Array.from({ length: count }, () =>
      Array.from({ length: random.int(2, 4) }, () => middle(random)).join(separator),
    );
    return [opening(random), ...body, ending(random)].join("\n\n");
  };

const order: Slot = (random) => random.pick(["A", "B", "D", "SF"]) + random.digits(10);
const tail: Slot = (random) => random.digits(4);
const amount: Slot = (random) => `${random.int(100, 4999)}.${random.digits(2)}`;
const small: Slot = (random) => `${random.int(3, 89) * 10}`;
const count: Slot = (random) => `${random.int(2, 9)}`;
const mobile = (random: Random): string => `1${random.pick(["38", "39", "50", "86", "77"])}${random.digits(8)}`;

const zhSurname = choice("王|李|张|刘|陈|杨|赵|黄|周|吴");
const enSurname = choice("Miller|Garcia|Chen|Novak|Okafor|Singh|Larsen|O'Neill");

const zhDate: Slot = (random) => `${random.int(1, 12)}月${random.int(1, 28)}号`;
const enDate: Slot = (random) =>
  `${random.pick(["January", "March", "May", "July", "September", "November"])} ${random.int(1, 28)}`;

const zhDigits = [..."零幺二三四五六七八九"];
const enDigits = ["oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const spell = (digits: string, words: readonly string[], separator: string): string =>
  [...digits].map((digit) => words[Number(digit)] ?? digit).join(separator);

const zhAnimal = choice("小狐狸|小兔子|小熊|小海豚|小猫|刺猬|小象|松鼠");
const zhThing = choice("魔法树叶|星星做的钥匙|会唱歌的贝壳|彩虹雨伞|月亮糖|会发光的种子");
const zhPlace = choice("森林深处|云朵上面|海底的花园|山的那一边|星星河边");
const enAnimal = choice("little fox|rabbit|bear cub|dolphin|kitten|hedgehog|baby elephant|squirrel");
const enThing = choice("a magic leaf|a key made of stars|a singing shell|a rainbow umbrella|moon candy|a glowing seed");
const enPlace = choice(
  "deep in the forest|above the clouds|in a garden under the sea|beyond the mountain|by the river",
);

const zhSentence: Slot = (random) => {
  const [animal, thing, place] = [zhAnimal(random), zhThing(random), zhPlace(random)];
  return random.pick([
    `有一天,${animal}在${place}发现了${thing},它高兴得转了好几个圈。`,
    `${animal}把${thing}分给了每一个朋友,大家围坐在一起,笑声传到了${place}。`,
    `天黑了,${place}亮起了一盏一盏小灯,原来是萤火虫来帮${animal}引路。`,
    `“别着急,”${animal}轻轻地说,“只要我们一起找,一定能找到${thing}。”`,
    `风儿带来了一封信,信上写着:${thing}就藏在${place}。`,
    `从那以后,${place}每天都会出现一个小小的惊喜。`,
  ]);
};
const enSentence: Slot = (random) => {
  const [animal, thing, place] = [enAnimal(random), enThing(random), enPlace(random)];
  return random.pick([
    `One day the ${animal} found ${thing} ${place}, and danced with joy.`,
    `The ${animal} shared ${thing} with every friend, and their laughter could be heard ${place}.`,
    `When night fell, small lights began to glow ${place}: the fireflies had come to show the ${animal} the way.`,
    `“Don't worry,” said the ${animal} softly, “if we look together, we will find ${thing}.”`,
    `The wind brought a letter. It said that ${thing} was hidden ${place}.`,
    `From then on there was a small surprise every day ${place}.`,
  ]);
};

const shared: Slots = { order, tail, amount, small, count };

const zh: Slots = {
  ...shared,
  agent: choice("小云|小夏|晓晓|小智|安安|小雅"),
  company: choice("云享集团|星河科技|蓝海集团|优家生活|极光科技|安心到家"),
  surname: zhSurname,
  name: (random) =>
    zhSurname(random) + random.pick(["伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "建国", "晓明", "子涵"]),
  product: choice("蓝牙耳机|扫地机器人|空气炸锅|平板电脑|智能手表|投影仪"),
  hospital: choice("市第一人民医院|仁和口腔|康宁体检中心|同济门诊部"),
  department: choice("口腔科|皮肤科|眼科|骨科|消化内科|儿科"),
  hotel: choice("西湖云栖酒店|外滩江景酒店|锦城国际饭店|海棠湾度假酒店"),
  city: choice("杭州|上海|成都|武汉|广州|西安|南京"),
  address: (random) =>
    `${random.pick(["文一西路", "人民中路", "天府大道", "中山北路"])}${random.int(1, 999)}号${random.int(1, 30)}栋${random.int(101, 2808)}`,
  date: zhDate,
  later: zhDate,
  time: (random) => `${random.pick(["上午九点", "上午十点半", "下午两点", "下午三点半", "晚上七点"])}`,
  percent: (random) => `${random.int(7, 9)}`,
  spoken: (random) => spell(mobile(random), zhDigits, ""),
  hotline: (random) => `95${random.digits(3)}`,
  animal: zhAnimal,
  thing: zhThing,
  story: paragraphs(
    choice("很久很久以前,在一片神奇的森林里,住着一群好朋友。|从前,在大海的那一边,有一座会发光的小岛。"),
    zhSentence,
    choice("故事讲完啦,你还想听吗?|就这样,大家带着微笑进入了梦乡。"),
    "",
  ),
};

const en: Slots = {
  ...shared,
  price: (random) => `$${amount(random)}`,
  fee: (random) => `$${small(random)}`,
  agent: choice("Xiaoyun|Ava|Milo|Nora|Leo|Iris"),
  company: choice("Northwind|Bluebird|Harbor & Co|Homelight|Aurora|Silverline"),
  surname: enSurname,
  name: (random) =>
    `${random.pick(["Emma", "Noah", "Olivia", "Liam", "Mia", "José", "Zoë", "Wei"])} ${enSurname(random)}`,
  product: choice("wireless headset|robot vacuum|air fryer|tablet|smart watch|projector"),
  hospital: choice("City Hospital|Riverside Dental|Greenfield Clinic|Lakeside Health Center"),
  department: choice("dentistry|dermatology|the eye clinic|orthopedics|gastroenterology|pediatrics"),
  hotel: choice("the Lakeview Hotel|Harbor Inn|the Grand Meridian|Palm Bay Resort"),
  city: choice("Portland|Denver|Chicago|Singapore|London|Austin"),
  address: (random) =>
    `${random.int(1, 999)} ${random.pick(["Oak Street", "Main Street", "Park Avenue", "Hill Road"])}, apartment ${random.int(1, 40)}`,
  date: enDate,
  later: enDate,
  time: choice("nine in the morning|half past ten|two in the afternoon|four thirty|seven in the evening"),
  percent: (random) => `${random.int(5, 25)}`,
  spoken: (random) => {
    const number = mobile(random);
    const groups = [number.slice(0, 3), number.slice(3, 7), number.slice(7)];
    return groups.map((group) => spell(group, enDigits, " ")).join(", ");
  },
  hotline: (random) => `800 ${random.digits(3)} ${random.digits(4)}`,
  animal: enAnimal,
  thing: enThing,
  story: paragraphs(
    choice(
      "Once upon a time, in a magical forest, there lived a group of good friends.|A long, long time ago there was an island that glowed at night.",
    ),
    enSentence,
    choice("And that is the end of the story. Shall I tell you another?|And so they all fell asleep with a smile."),
    " ",
  ),
};

export const slots: Readonly<Record<Language, Slots>> = { zh, en };

/** A mobile number in digits, as the phone network reports it. */
export const phoneNumber = mobile;
