//! Names of thirteen locales: the common ones by name and in the order of their frequency, the rare ones put together
//! from syllables.

use crate::random::Random;

pub struct Locale {
    /// How many of a hundred people.
    pub share: u64,
    pub female: &'static [&'static str],
    pub male: &'static [&'static str],
    pub family: &'static [&'static str],
    /// For names that few have.
    pub syllables: &'static [&'static str],
    pub endings: &'static [&'static str],
    pub family_first: bool,
    pub space: &'static str,
    /// (country, its dialling code, a latitude and a longitude, cities)
    pub countries: &'static [(&'static str, &'static str, f64, f64, &'static [&'static str])],
}

pub const LATIN: &[&str] = &[
    "ba", "ber", "bran", "cal", "car", "da", "del", "dor", "el", "far", "fin", "ga", "gol", "gra", "hal", "har", "ji", "ka", "kel", "lan",
    "lo", "ma", "mer", "mo", "nor", "o", "pen", "quin", "ra", "ros", "sa", "shel", "sto", "ta", "thor", "u", "val", "wes", "win", "yar", "zim",
];

pub const LOCALES: &[Locale] = &[
    Locale {
        share: 30,
        female: &["Mary", "Patricia", "Jennifer", "Linda", "Elizabeth", "Barbara", "Susan", "Jessica", "Sarah", "Karen", "Lisa", "Nancy", "Betty", "Sandra", "Margaret", "Ashley", "Kimberly", "Emily", "Donna", "Michelle", "Carol", "Amanda", "Melissa", "Deborah", "Stephanie", "Rebecca", "Laura", "Helen", "Sharon", "Cynthia", "Kathleen", "Amy", "Angela", "Anna", "Ruth", "Brenda", "Pamela", "Nicole", "Katherine", "Olivia"],
        male: &["James", "Robert", "John", "Michael", "David", "William", "Richard", "Joseph", "Thomas", "Christopher", "Charles", "Daniel", "Matthew", "Anthony", "Mark", "Donald", "Steven", "Andrew", "Paul", "Joshua", "Kenneth", "Kevin", "Brian", "George", "Timothy", "Ronald", "Jason", "Edward", "Jeffrey", "Ryan", "Jacob", "Gary", "Nicholas", "Eric", "Jonathan", "Stephen", "Larry", "Justin", "Scott", "Brandon"],
        family: &["Smith", "Johnson", "Williams", "Brown", "Jones", "Miller", "Davis", "Wilson", "Anderson", "Thomas", "Taylor", "Moore", "Jackson", "Martin", "Lee", "Thompson", "White", "Harris", "Clark", "Lewis", "Robinson", "Walker", "Young", "Allen", "King", "Wright", "Scott", "Hill", "Green", "Adams", "Nelson", "Baker", "Hall", "Campbell", "Mitchell", "Carter", "Roberts", "Phillips", "Evans", "Turner", "Parker", "Collins", "Edwards", "Stewart", "Morris", "Murphy", "Cook", "Rogers", "Morgan", "Cooper", "Peterson", "Reed", "Bailey", "Bell", "Kelly", "Howard", "Ward", "Cox", "Richardson", "Wood", "Watson", "Brooks", "Bennett", "Gray", "James", "Hughes", "Price", "Myers", "Long", "Foster", "Sanders", "Ross", "Powell", "Sullivan", "Russell", "O'Neill"],
        syllables: LATIN,
        endings: &["son", "ton", "ley", "ford", "man", "well", "wood", "field", "er", "by"],
        family_first: false,
        space: " ",
        countries: &[
            ("US", "1", 39.0, -95.0, &["New York", "Los Angeles", "Chicago", "Houston", "Phoenix", "Philadelphia", "San Antonio", "San Diego", "Dallas", "Austin", "Boston", "Denver", "Seattle", "Portland", "Atlanta", "Miami"]),
            ("GB", "44", 52.5, -1.5, &["London", "Birmingham", "Manchester", "Leeds", "Glasgow", "Liverpool", "Bristol", "Edinburgh", "Cardiff"]),
            ("AU", "61", -33.0, 149.0, &["Sydney", "Melbourne", "Brisbane", "Perth", "Adelaide"]),
        ],
    },
    Locale {
        share: 14,
        female: &["María", "Carmen", "Ana", "Isabel", "Laura", "Cristina", "Marta", "Lucía", "Paula", "Elena", "Rosa", "Pilar", "Teresa", "Raquel", "Sofía"],
        male: &["José", "Antonio", "Juan", "Manuel", "Francisco", "Luis", "Javier", "Miguel", "Carlos", "Ángel", "Jesús", "Pedro", "Rafael", "Sergio", "Jorge"],
        family: &["García", "González", "Rodríguez", "Fernández", "López", "Martínez", "Sánchez", "Pérez", "Gómez", "Martín", "Jiménez", "Ruiz", "Hernández", "Díaz", "Moreno", "Muñoz", "Álvarez", "Romero", "Alonso", "Gutiérrez", "Navarro", "Torres", "Domínguez", "Vázquez", "Ramos", "Gil", "Ramírez", "Serrano", "Blanco", "Molina"],
        syllables: LATIN,
        endings: &["ez", "ado", "ero", "illo", "uela", "ano"],
        family_first: false,
        space: " ",
        countries: &[
            ("MX", "52", 20.0, -99.5, &["Ciudad de México", "Guadalajara", "Monterrey", "Puebla", "Tijuana", "León"]),
            ("ES", "34", 40.4, -3.7, &["Madrid", "Barcelona", "Valencia", "Sevilla", "Zaragoza", "Málaga"]),
            ("CO", "57", 4.7, -74.1, &["Bogotá", "Medellín", "Cali"]),
        ],
    },
    Locale {
        share: 12,
        female: &["Priya", "Anjali", "Sunita", "Pooja", "Neha", "Kavita", "Lakshmi", "Divya", "Meena", "Asha", "Shreya", "Ananya"],
        male: &["Rahul", "Amit", "Sanjay", "Rajesh", "Vijay", "Suresh", "Arjun", "Ravi", "Anil", "Manoj", "Deepak", "Karthik", "Mohammed"],
        family: &["Kumar", "Singh", "Sharma", "Devi", "Patel", "Khan", "Gupta", "Reddy", "Das", "Yadav", "Verma", "Nair", "Iyer", "Joshi", "Rao", "Mehta", "Shah", "Bose", "Mishra", "Chatterjee"],
        syllables: &["a", "bha", "cha", "de", "ga", "ha", "ja", "ka", "la", "ma", "na", "pa", "ra", "sha", "su", "ta", "va", "vi", "ya", "dha", "ni", "ro"],
        endings: &["kar", "an", "wal", "swamy", "raj", "murthy"],
        family_first: false,
        space: " ",
        countries: &[("IN", "91", 20.6, 78.0, &["BLR", "DEL", "BOM", "MAA", "HYD", "CCU", "PNQ", "AMD", "Jaipur", "Lucknow", "Kochi", "Indore"])],
    },
    Locale {
        share: 3,
        female: &["प्रिया", "अंजलि", "सुनीता", "पूजा", "कविता", "लक्ष्मी", "आशा"],
        male: &["राहुल", "अमित", "संजय", "राजेश", "विजय", "सुरेश", "किरण"],
        family: &["कुमार", "सिंह", "शर्मा", "पटेल", "गुप्ता", "यादव", "वर्मा", "मिश्रा", "जोशी"],
        syllables: &["का", "गी", "चि", "जो", "टा", "दे", "ना", "पि", "बा", "मो", "रा", "ला", "वि", "सु", "हा"],
        endings: &["न", "कर", "वाल", "राज"],
        family_first: false,
        space: " ",
        countries: &[("IN", "91", 26.5, 80.0, &["DEL", "Lucknow", "Jaipur", "Kanpur"])],
    },
    Locale {
        share: 9,
        female: &["芳", "娜", "秀英", "敏", "静", "丽", "艳", "娟", "霞", "秀兰", "燕", "玲", "桂英", "丹", "萍"],
        male: &["伟", "强", "磊", "军", "洋", "勇", "杰", "涛", "明", "超", "刚", "平", "辉", "伟明", "建国", "志强"],
        family: &["王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "高", "罗", "欧阳"],
        syllables: &["安", "博", "晨", "德", "恩", "飞", "光", "海", "佳", "凯", "岚", "梅", "宁", "鹏", "琪", "瑞", "思", "天", "文", "雪", "一", "子"],
        endings: &["轩", "涵", "怡", "豪", "宇", "欣", "妍"],
        family_first: true,
        space: "",
        countries: &[("CN", "86", 32.0, 115.0, &["北京", "上海", "广州", "深圳", "成都", "杭州", "武汉", "西安"]), ("TW", "886", 24.5, 121.2, &["台北", "高雄"])],
    },
    Locale {
        share: 4,
        female: &["陽子", "恵子", "幸子", "美咲", "さくら", "結衣", "葵"],
        male: &["太郎", "健一", "誠", "翔太", "大輔", "蓮", "浩"],
        family: &["佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山田"],
        syllables: &["青", "池", "上", "大", "川", "木", "小", "坂", "島", "田", "中", "西", "野", "原", "藤", "松", "村"],
        endings: &["子", "美", "男", "郎", "介"],
        family_first: true,
        space: " ",
        countries: &[("JP", "81", 35.7, 139.0, &["東京", "大阪", "名古屋", "札幌", "福岡"])],
    },
    Locale {
        share: 3,
        female: &["지우", "서연", "민지", "수빈", "영희"],
        male: &["민준", "서준", "도윤", "철수", "지훈"],
        family: &["김", "이", "박", "최", "정", "강", "조", "윤"],
        syllables: &["가", "나", "다", "라", "미", "보", "소", "아", "은", "재", "하", "현", "혜"],
        endings: &["준", "희", "영", "수"],
        family_first: true,
        space: "",
        countries: &[("KR", "82", 37.0, 127.3, &["서울", "부산", "인천", "대구"])],
    },
    Locale {
        share: 5,
        female: &["فاطمة", "مريم", "عائشة", "زينب", "نور"],
        male: &["محمد", "أحمد", "علي", "حسن", "عمر", "خالد", "يوسف"],
        family: &["محمد", "علي", "حسن", "إبراهيم", "السيد", "المصري", "العلي", "خليل"],
        syllables: &["با", "تو", "جا", "دي", "را", "سا", "شا", "طا", "في", "كا", "لو", "ما", "نا", "هو"],
        endings: &["ي", "ان", "ين", "وش"],
        family_first: false,
        space: " ",
        countries: &[("EG", "20", 30.0, 31.2, &["القاهرة", "الإسكندرية"]), ("SA", "966", 24.7, 46.7, &["الرياض", "جدة"])],
    },
    Locale {
        share: 6,
        female: &["Анна", "Мария", "Елена", "Ольга", "Наталья", "Екатерина", "Татьяна", "Ирина"],
        male: &["Александр", "Сергей", "Дмитрий", "Андрей", "Алексей", "Иван", "Михаил", "Владимир"],
        family: &["Иванов", "Смирнов", "Кузнецов", "Попов", "Васильев", "Петров", "Соколов", "Михайлов", "Новиков", "Фёдоров"],
        syllables: &["ба", "ве", "го", "де", "жу", "за", "ки", "ло", "ма", "но", "пе", "ра", "се", "ту", "че"],
        endings: &["ов", "ин", "ский", "енко", "ев"],
        family_first: false,
        space: " ",
        countries: &[("RU", "7", 55.7, 40.0, &["Москва", "Санкт-Петербург", "Казань", "Екатеринбург"])],
    },
    Locale {
        share: 5,
        female: &["Anna", "Ursula", "Sabine", "Petra", "Monika", "Julia", "Claudia", "Jürgena"],
        male: &["Peter", "Michael", "Thomas", "Andreas", "Wolfgang", "Jürgen", "Stefan", "Klaus", "Jörg"],
        family: &["Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz", "Hoffmann", "Schäfer", "Koch", "Bauer", "Richter", "Klein", "Groß", "Weiß"],
        syllables: LATIN,
        endings: &["mann", "berg", "bach", "dorf", "hauer", "stein"],
        family_first: false,
        space: " ",
        countries: &[("DE", "49", 51.0, 10.0, &["Berlin", "Hamburg", "München", "Köln", "Frankfurt am Main", "Stuttgart"]), ("AT", "43", 47.8, 14.5, &["Wien", "Graz"])],
    },
    Locale {
        share: 4,
        female: &["Marie", "Jeanne", "Françoise", "Monique", "Nathalie", "Camille", "Chloé", "Marie-Claire"],
        male: &["Jean", "Pierre", "Michel", "André", "Philippe", "Nicolas", "François", "Jean-Luc"],
        family: &["Martin", "Bernard", "Thomas", "Petit", "Robert", "Richard", "Durand", "Dubois", "Moreau", "Laurent", "Simon", "Lefèvre", "Leroy"],
        syllables: LATIN,
        endings: &["eau", "ard", "ier", "ont", "et", "elle"],
        family_first: false,
        space: " ",
        countries: &[("FR", "33", 47.0, 2.5, &["Paris", "Marseille", "Lyon", "Toulouse", "Nice", "Nantes"])],
    },
    Locale {
        share: 3,
        female: &["Maria", "Ana", "Francisca", "Juliana", "Adriana", "Fernanda", "Patrícia"],
        male: &["João", "José", "Antônio", "Carlos", "Paulo", "Pedro", "Lucas"],
        family: &["Silva", "Santos", "Oliveira", "Souza", "Rodrigues", "Ferreira", "Alves", "Pereira", "Lima", "Gomes", "Conceição"],
        syllables: LATIN,
        endings: &["eira", "ães", "inho", "osa", "al"],
        family_first: false,
        space: " ",
        countries: &[("BR", "55", -21.0, -46.0, &["São Paulo", "Rio de Janeiro", "Brasília", "Salvador", "Fortaleza"])],
    },
    Locale {
        share: 2,
        female: &["Thị Hoa", "Thị Lan", "Thị Mai", "Thu Hà", "Linh"],
        male: &["Văn Hùng", "Minh", "Đức", "Văn Nam", "Quang"],
        family: &["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng"],
        syllables: &["anh", "bình", "châu", "dung", "giang", "hải", "khánh", "lâm", "my", "nga", "phúc", "quý", "sơn", "tú", "uyên", "vinh"],
        endings: &["", "h", "ng"],
        family_first: true,
        space: " ",
        countries: &[("VN", "84", 16.0, 107.0, &["Hà Nội", "TP HCM", "Đà Nẵng"])],
    },
];

impl Locale {
    pub fn of(random: &mut Random) -> &'static Self {
        let mut at = random.below(LOCALES.iter().map(|locale| locale.share).sum());
        for locale in LOCALES {
            if at < locale.share {
                return locale;
            }
            at -= locale.share;
        }
        &LOCALES[0]
    }

    /// A common name, or now and then one that few have.
    pub fn name(&self, common: &[&str], rare: f64, random: &mut Random) -> String {
        if !random.chance(rare) {
            return common[random.zipf(common.len())].to_owned();
        }
        let count = 1 + random.index(2);
        let mut name: String = (0..count).map(|_| self.syllables[random.zipf(self.syllables.len())]).collect();
        name.push_str(self.endings[random.index(self.endings.len())]);
        let mut chars = name.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
    }
}
