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
                // What is not ours and yet just as we place it may have been ours: a pause has set it back since.
                let isSure = records.setting(wanted.setting) != nil || one.value != wanted.value
                // What this very tick has asked it asks again, to see what became of it.
                return one.setting == wanted.setting && isSure && age > .zero && age < askingInterval
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
    mutating func take(_ answers: [Setting: SettingReading], at now: Instant) {
        for (setting, answer) in answers.sorted(by: { $0.key < $1.key }) {
            guard case .value(let value) = answer else { continue }
            var all = (settings ?? []).filter { $0.setting != setting }
            all.append(KnownSetting(setting: setting, value: value, askedAt: now))
            settings = all
        }
    }
}
