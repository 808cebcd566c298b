import Model
import Ports

/// Settings that no look tells cost a question of their own; they are asked about when they are placed, and hourly.
private let askingInterval = TimeSpan.hours(1)

extension GuardSituation {
    /// Chooses what is asked about now.
    ///
    /// - Parameter known: what earlier questions brought; of what is not ours that counts for as long as it is fresh.
    mutating func chooseQuestions(known: [ObserverMemory.KnownSetting]) {
        // One that has just not answered is not asked again.
        guard observation.snapd != nil else { return }
        for wanted in wantedSettings where wanted.setting.kind == .snapRetain {
            let fresh = known.first { one in
                let age = observation.clock.now - one.askedAt
                // What this very tick has asked it asks again, to see what became of it; and a pause that has just come
                // to its end has set it back.
                return one.setting == wanted.setting && state.pause == nil && age > .zero
                    && age < askingInterval
            }
            guard let fresh else {
                asks.insert(wanted.setting)
                continue
            }
            if records.setting(wanted.setting) == nil { readings[wanted.setting] = .value(fresh.value) }
        }
    }
}

extension ObserverMemory {
    /// Takes in what was asked about; what could not be answered is asked again at the next look.
    ///
    /// - Parameter wanted: what is to be placed now; of anything else nothing is known any longer, since it is set back.
    mutating func take(_ answers: [Setting: SettingReading], of wanted: [WantedSetting], at now: Instant) {
        let settled = settings?.filter { one in wanted.contains { $0.setting == one.setting } }
        settings = settled?.isEmpty == false ? settled : nil
        for (setting, answer) in answers.sorted(by: { $0.key < $1.key }) {
            guard case .value(let value) = answer else { continue }
            var all = (settings ?? []).filter { $0.setting != setting }
            all.append(KnownSetting(setting: setting, value: value, askedAt: now))
            settings = all
        }
    }
}
